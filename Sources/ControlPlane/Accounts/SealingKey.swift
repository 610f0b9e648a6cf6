internal import Blocks
internal import Repository

/// The file beside the catalog that access keys' secrets are encrypted with, so that a copy of the catalog tells nobody how to
/// sign.
enum SealingKey {
    /// Reads it, making it at first start (mode 0600). Blocks.
    static func openOrCreate(in directory: DataDirectory) throws -> SecretBox {
        if try directory.disk.facts(directory.sealingKey) == nil { try make(in: directory) }
        let file = try directory.disk.open(directory.sealingKey, .readOnly)
        var text = [UInt8](repeating: 0, count: min(4096, try file.size().bytes))
        try text.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
        guard let box = SecretBox(keyFileText: &text) else {
            throw ServiceError(
                .invalid, .house,
                "\(directory.sealingKey) does not hold 64 hexadecimal digits: bring the file back from a backup, or move it away: "
                    + "then a new one is made, and of the access keys only that in \(directory.credentials) is accepted"
            )
        }
        return box
    }

    private static func make(in directory: DataDirectory) throws {
        var (text, _) = Keyring.newKeyFileText()
        defer { text.wipe() }
        let beside = directory.sealingKey + ".new"
        try directory.disk.remove(beside)
        let file = try directory.disk.open(beside, .createNew)
        try text.readBytes { (bytes) throws(BlockFailure) in try file.write(bytes, at: 0, durably: false) }
        try file.sync()
        try directory.disk.rename(beside, to: directory.sealingKey)
        try directory.disk.syncDirectory(directory.path)
    }
}
