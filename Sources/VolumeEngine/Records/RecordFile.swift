internal import Blocks
internal import FoundationEssentials

/// A small JSON record with a checksum line, replaced atomically.
///
/// ```
/// file = json LF "crc32c " 8*hexdigit LF        ; CRC-32C of the bytes of json
/// ```
/// See docs/formats.md, "Records". Durable once ``write(_:to:on:)`` returns: written beside, synced, renamed, and the
/// folder synced. A crash leaves the old record or the new one.
enum RecordFile {
    static func write(_ record: some Encodable, to path: String, on disk: any Disk) throws(VolumeFailure) {
        let beside = path + ".new"
        var bytes = try encode(record, path: path)
        let crc = String(Checksum.crc32c(bytes), radix: 16)
        bytes += Array("\ncrc32c \(String(repeating: "0", count: 8 - crc.count))\(crc)\n".utf8)
        do throws(DiskFailure) {
            try disk.remove(beside)
            let file = try disk.open(beside, .createNew)
            do throws(BlockFailure) {
                try bytes.readBytes { (all) throws(BlockFailure) in try file.write(all, at: 0, durably: false) }
                try file.sync()
            } catch { throw DiskFailure(errno: error.kernelNumber, action: "write", path: beside) }
            try disk.rename(beside, to: path)
            try disk.syncDirectory(folder(of: path))
        } catch { throw .disk(error) }
    }

    static func read<R: Decodable>(_ type: R.Type, from path: String, on disk: any Disk) throws(VolumeFailure) -> R {
        let file = try VolumeFailure.disk { () throws(DiskFailure) in try disk.open(path, .readOnly) }
        var bytes = try VolumeFailure.block("reading \(path)") { () throws(BlockFailure) in
            let size = try file.size()
            guard size <= .mebibytes(1) else { throw .outOfRange }
            var bytes = [UInt8](repeating: 0, count: size.bytes)
            try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
            return bytes
        }
        let trailer = 17  // LF "crc32c " 8 digits LF
        guard bytes.count > trailer, let text = String(validating: bytes.suffix(trailer), as: UTF8.self),
            text.hasPrefix("\ncrc32c "), let crc = UInt32(text.dropFirst(8).dropLast(), radix: 16)
        else { throw .corrupt(path: path, reason: "it does not end in a checksum line") }
        bytes.removeLast(trailer)
        guard Checksum.crc32c(bytes) == crc else { throw .corrupt(path: path, reason: "its checksum does not match") }
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw .corrupt(path: path, reason: "\(error)")
        }
    }

    private static func encode(_ record: some Encodable, path: String) throws(VolumeFailure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        do { return Array(try encoder.encode(record)) } catch {
            throw .corrupt(path: path, reason: "it cannot be encoded: \(error)")
        }
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension BlockFailure {
    /// An error number that says the same.
    var kernelNumber: Int32 {
        switch self {
        case .noSpace: 28
        case .readOnly: 30
        case .io(let errno): errno
        case .outOfRange, .corrupt, .unavailable, .unsupported, .failed: 5
        }
    }
}
