internal import Blocks

/// The administrator's key. Never printed or logged.
public struct RootCredentials: Sendable, Equatable {
    /// The public half: 20 characters.
    public var accessKeyID: String
    /// The secret half: 40 characters.
    public var secretAccessKey: String

    /// Makes one.
    public init(accessKeyID: String, secretAccessKey: String) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
    }

    /// A new random key of 240 secret bits.
    static func random() -> RootCredentials {
        RootCredentials(
            accessKeyID: "VARV" + text(16, of: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
            secretAccessKey: text(40, of: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    }
    private static func text(_ count: Int, of alphabet: String) -> String {
        let letters = Array(alphabet)
        var random = SystemRandomNumberGenerator()
        return String((0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] })
    }

    /// The file's text: an AWS shared-credentials file with one profile.
    var fileText: String {
        """
        [default]
        aws_access_key_id = \(accessKeyID)
        aws_secret_access_key = \(secretAccessKey)

        """
    }

    /// Reads the `[default]` profile of an AWS shared-credentials file; nil if it has no whole key.
    init?(fileText: String) {
        var values: [String: String] = [:]
        var profile = ""
        for line in fileText.split(whereSeparator: \.isNewline) {
            let line = line.drop { $0 == " " }
            if line.hasPrefix("[") { profile = String(line.dropFirst().prefix { $0 != "]" }) }
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.split(separator: " ").joined() }
            if profile == "default", parts.count == 2 { values[parts[0]] = parts[1] }
        }
        guard let id = values["aws_access_key_id"], let secret = values["aws_secret_access_key"],
            !id.isEmpty, !secret.isEmpty
        else { return nil }
        self.init(accessKeyID: id, secretAccessKey: secret)
    }

    /// Reads the key of a data directory, making it at first start (mode 0600). Blocks.
    static func openOrCreate(in directory: DataDirectory) throws -> RootCredentials {
        if try directory.disk.facts(directory.credentials) != nil { return try read(directory) }
        let new = RootCredentials.random()
        let beside = directory.credentials + ".new"
        try directory.disk.remove(beside)
        let file = try directory.disk.open(beside, .createNew)
        try Array(new.fileText.utf8).readBytes { (bytes) throws(BlockFailure) in
            try file.write(bytes, at: 0, durably: false)
        }
        try file.sync()
        try directory.disk.rename(beside, to: directory.credentials)
        try directory.disk.syncDirectory(directory.path)
        return new
    }

    private static func read(_ directory: DataDirectory) throws -> RootCredentials {
        let file = try directory.disk.open(directory.credentials, .readOnly)
        var bytes = [UInt8](repeating: 0, count: min(65_536, try file.size().bytes))
        try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
        guard let key = RootCredentials(fileText: String(decoding: bytes, as: UTF8.self)) else {
            throw ServiceError(
                .invalid, .house,
                "\(directory.credentials) has no aws_access_key_id and aws_secret_access_key under [default]: mend it, "
                    + "or move it away to have a new key made")
        }
        return key
    }
}
