internal import Blocks
internal import Foundation

/// A program of this machine that is run for us.
struct Tool: Sendable {
    let path: String

    /// Where the programs that are used come from, for the message when one is missing.
    private static let packages = [
        "qemu-img": "qemu-utils", "nbdfuse": "libnbd-bin", "losetup": "mount", "fsfreeze": "util-linux",
        "fusermount3": "fuse3",
    ]

    /// Looks for `name` on the PATH.
    init(_ name: String) throws {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
        guard let found = folders.map({ "\($0)/\(name)" }).first(where: FileManager.default.isExecutableFile) else {
            let package = Self.packages[name] ?? name
            throw CommandFailure.refused(
                "this needs the program \(name); install it, on Debian: apt-get install \(package)")
        }
        path = found
    }

    /// What a program said.
    struct Result {
        let status: Int32
        let output: Data
        let complaints: String

        /// The last line on standard error.
        var lastComplaint: String {
            complaints.split(whereSeparator: \.isNewline).last.map(String.init) ?? "no reason given"
        }
    }

    /// Runs to the end; for programs that are quick and say little.
    func output(of arguments: [String]) throws -> Result {
        let process = Process(), output = Pipe(), complaints = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = complaints
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complained = complaints.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: said, complaints: String(decoding: complained, as: UTF8.self))
    }

    /// Runs to the end, showing the share that it prints as `(12.34/100%)`. Cancelling ends the program.
    ///
    /// - Throws: ``CommandFailure`` with what it said last when it fails.
    func run(_ arguments: [String], progress painter: ProgressPainter) async throws {
        let process = Process(), output = Pipe(), complaints = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = complaints
        let reading = output.fileHandleForReading, complaining = complaints.fileHandleForReading
        try process.run()
        let complained = Guarded("")
        let watcher = OSThread(name: "varve-tool") {
            let said = complaining.readDataToEndOfFile()
            complained.withLock { $0 = String(decoding: said, as: UTF8.self) }
        }
        await withTaskCancellationHandler {
            await Blocking.run {
                while case let said = reading.availableData, !said.isEmpty {
                    if let share = Self.share(in: String(decoding: said, as: UTF8.self)) { painter.note(share: share) }
                }
                watcher.join()
            }
        } onCancel: {
            process.terminate()
        }
        process.waitUntilExit()
        try Task.checkCancellation()
        guard process.terminationStatus == 0 else {
            let result = Result(
                status: process.terminationStatus, output: Data(), complaints: complained.withLock { $0 })
            throw CommandFailure.refused("\(path) failed: \(result.lastComplaint)")
        }
    }

    /// The last `(12.34/100%)` in a text, as a share of 1.
    static func share(in text: String) -> Double? {
        guard let open = text.lastIndex(of: "("), let slash = text[open...].firstIndex(of: "/") else { return nil }
        return Double(text[text.index(after: open)..<slash]).map { $0 / 100 }
    }
}
