internal import Blocks
internal import Repository

/// The files that wrapping keys and passphrases come from. What they hold is never logged, and wiped once it is read.
public enum KeyFiles {
    /// Makes a new random key in a new file that only its owner can read. Blocks.
    ///
    /// - Returns: the key's name.
    public static func make(at path: String) throws -> String {
        let disk = LocalDisk()
        if try disk.facts(path) != nil {
            throw ServiceError(
                .wrongState, .house, "\(path) exists already: a key is never overwritten, so give another name")
        }
        var (text, id) = Keyring.newKeyFileText()
        defer { text.wipe() }
        do {
            let file = try disk.open(path, .createNew)
            try text.readBytes { (bytes) throws(BlockFailure) in try file.write(bytes, at: 0, durably: false) }
            try file.sync()
            try disk.syncDirectory(folder(of: path))
        } catch let failure as DiskFailure {
            throw ServiceError(.unavailable, .house, "\(failure)", cause: failure)
        }
        return id.description
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Reads all that a plan names. Blocks.
    static func keyring(_ plan: HousePlan, on disk: any Disk) throws -> Keyring {
        let ring = Keyring()
        for path in plan.keyFiles {
            var text = try read(path, on: disk)
            guard ring.add(keyFileText: &text) != nil else {
                throw ServiceError(
                    .invalid, .house,
                    "the key file \(path) does not hold 64 hexadecimal digits and nothing else: make one with varve key new"
                )
            }
        }
        for path in plan.passphraseFiles {
            var text = try read(path, on: disk)
            guard ring.add(passphraseFileText: &text) else {
                throw ServiceError(.invalid, .house, "the passphrase file \(path) is empty")
            }
        }
        return ring
    }

    private static let lengthMax = ByteCount(4096)

    private static func read(_ path: String, on disk: any Disk) throws -> [UInt8] {
        do {
            guard let facts = try disk.facts(path), !facts.isDirectory else {
                throw ServiceError(.invalid, .house, "there is no key file \(path)")
            }
            guard facts.permissions & 0o077 == 0 else {
                let mode = String(facts.permissions, radix: 8)
                throw ServiceError(
                    .invalid, .house,
                    "the key file \(path) has mode 0\(mode), so others can get at it: make it 0600 (chmod 600 \(path))")
            }
            guard facts.size <= lengthMax else {
                throw ServiceError(.invalid, .house, "\(path) has \(facts.size.bytes) bytes: that is no key file")
            }
            let file = try disk.open(path, .readOnly)
            var bytes = [UInt8](repeating: 0, count: facts.size.bytes)
            try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
            return bytes
        } catch let failure as DiskFailure {
            throw ServiceError(.unavailable, .house, "the key file cannot be used: \(failure)", cause: failure)
        }
    }
}
