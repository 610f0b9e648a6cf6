internal import Blocks
internal import Foundation

/// A disk image on this machine, looked at before anything is made of it.
struct ImageFile {
    /// What kind of image it is.
    enum Format: String {
        case raw, qcow2
    }

    let path: String
    let format: Format
    /// The disk's size.
    let size: Int

    /// Looks at a file.
    ///
    /// - Throws: ``CommandFailure`` for what is missing, empty, unreadable, or no raw or qcow2 image.
    init(_ path: String, as wanted: Format? = nil) throws {
        self.path = path
        let facts: FileFacts?
        let file: any DiskFile
        do {
            facts = try LocalDisk().facts(path)
            guard facts != nil else { throw CommandFailure.refused("there is no file \(path)") }
            file = try LocalDisk().open(path, .readOnly)
        } catch let failure as DiskFailure {
            throw CommandFailure.refused("\(failure)")
        }
        guard let facts, !facts.isDirectory else {
            throw CommandFailure.refused("\(path) is a directory, no disk image")
        }
        guard facts.size.bytes > 0 else { throw CommandFailure.refused("\(path) is empty, no disk image") }

        let head = try Self.head(of: file, size: facts.size.bytes)
        let isQcow2 = head.starts(with: [0x51, 0x46, 0x49, 0xFB])
        if let wanted, wanted == .qcow2, !isQcow2 { throw CommandFailure.refused("\(path) is not a qcow2 image") }
        format = wanted ?? (isQcow2 ? .qcow2 : .raw)
        switch format {
        case .qcow2:
            size = try QemuImage.size(of: path)
        case .raw:
            if wanted == nil, let other = Self.other(head) {
                throw CommandFailure.refused(
                    "\(path) looks like \(other); convert or unpack it first (--format raw takes it as it is)")
            }
            size = facts.size.bytes
        }
        guard size % Sector.size.bytes == 0, size > 0 else {
            throw CommandFailure.refused(
                "\(path) is no disk image: its size of \(size) bytes is not a multiple of \(Sector.size.bytes)")
        }
    }

    private static func head(of file: any DiskFile, size: Int) throws -> [UInt8] {
        var head = [UInt8](repeating: 0, count: min(512, size))
        do {
            try head.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
        } catch {
            throw CommandFailure.refused("the file cannot be read: \(error)")
        }
        return head
    }

    /// What else a file is known to be by its first bytes.
    private static func other(_ head: [UInt8]) -> String? {
        let kinds: [(mark: [UInt8], name: String)] = [
            (Array("KDMV".utf8), "a VMDK image"), (Array("conectix".utf8), "a VHD image"),
            (Array("vhdxfile".utf8), "a VHDX image"), (Array("<<< ".utf8), "a VDI image"),
            ([0x1F, 0x8B], "a gzip file"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "an xz file"),
            ([0x28, 0xB5, 0x2F, 0xFD], "a zstd file"), ([0x42, 0x5A, 0x68], "a bzip2 file"),
            (Array("PK\u{3}\u{4}".utf8), "a zip file"),
        ]
        return kinds.first { head.starts(with: $0.mark) }?.name
    }
}
