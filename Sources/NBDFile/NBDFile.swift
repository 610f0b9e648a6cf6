internal import Blocks
internal import NBD

/// Serves one raw file, or memory, over NBD: for measuring and testing the server without the rest of the product.
@main struct NBDFile {
    private static let usage = """
        usage: NBDFile --unix PATH (FILE | --memory MIB) [--read-only]
        Serves FILE, or MIB mebibytes of memory, as the exports '' and 'disk' (nbd+unix:///disk?socket=PATH)
        until SIGTERM or SIGINT.

        """

    static func main() {
        Program.deferTermination()
        var arguments = CommandLine.arguments.dropFirst()
        var socket: String?, file: String?, memory: Int?, isReadOnly = false
        while let argument = arguments.popFirst() {
            switch argument {
            case "--unix": socket = arguments.popFirst()
            case "--memory": memory = arguments.popFirst().flatMap { Int($0) }
            case "--read-only": isReadOnly = true
            default: file = argument
            }
        }
        guard let socket, (file == nil) != (memory == nil), memory ?? 1 > 0 else { Program.fail(usage, status: 2) }
        do {
            let device: any BlockDevice =
                if let file {
                    try FileDevice(file, isReadOnly: isReadOnly)
                } else {
                    MemoryDevice(size: .mebibytes(memory ?? 1), isReadOnly: isReadOnly)
                }
            try serve(device, at: socket)
        } catch {
            Program.fail("NBDFile: \(error)\n", status: 1)
        }
    }

    private static func serve(_ device: any BlockDevice, at socket: String) throws(ListenFailure) {
        let server = NBDServer(exports: OneExport(device))
        try server.listen(unix: socket)
        Program.waitForTermination()
        server.stop()
    }
}

/// A table of one device, under the name `disk` and by default.
final class OneExport: ExportTable {
    private let device: any BlockDevice

    init(_ device: any BlockDevice) { self.device = device }

    func export(named name: String) -> Export? {
        guard name == "" || name == "disk" else { return nil }
        return Export(name: "disk", device: device, description: "one disk")
    }
    func listing() -> [ExportListing] { [ExportListing(name: "disk", description: "one disk")] }
}
