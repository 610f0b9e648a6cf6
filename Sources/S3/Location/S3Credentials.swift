public import Blocks
public import ObjectStore
public import RequestSigning

/// The key that requests are signed with: from the environment, or from a file that may be renewed at any time.
///
/// A file is read again a minute after the last time, and at once after the store refused the key: whoever rotates keys or
/// session tokens replaces the file and restarts nothing.
public final class S3Credentials: Sendable {
    /// Where the key comes from.
    public enum Source: Equatable, Sendable {
        /// Known from the start.
        case fixed(SigningKey)
        /// A section of an AWS shared-credentials file.
        case file(path: String, profile: String)
    }
    private struct State {
        var key: SigningKey?
        var readAt = Duration.zero
    }
    private let source: Source
    private let disk: any Disk
    private let clock: any HouseClock
    private let state = Guarded(State())
    private static let age = Duration.seconds(60)

    /// Reads nothing yet.
    public init(_ source: Source, disk: any Disk = LocalDisk(), clock: any HouseClock = SystemClock()) {
        self.source = source
        self.disk = disk
        self.clock = clock
    }

    /// What a location and the environment say: the URL's file, else `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (and
    /// `AWS_SESSION_TOKEN`), else the file that `AWS_SHARED_CREDENTIALS_FILE` names, else `~/.aws/credentials`.
    public static func source(
        for location: S3Location, environment: [String: String]
    ) throws(S3LocationFailure) -> Source {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = location.credentials { return .file(path: path, profile: location.profile) }
        switch (given("AWS_ACCESS_KEY_ID"), given("AWS_SECRET_ACCESS_KEY")) {
        case (let id?, let secret?):
            return .fixed(SigningKey(accessKeyID: id, secret: secret, sessionToken: given("AWS_SESSION_TOKEN")))
        case (nil, nil): break
        case (nil, _?): throw S3LocationFailure("AWS_SECRET_ACCESS_KEY is set but AWS_ACCESS_KEY_ID is not")
        case (_?, nil): throw S3LocationFailure("AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not")
        }
        let home = given("HOME").map { $0 + "/.aws/credentials" }
        guard let path = given("AWS_SHARED_CREDENTIALS_FILE") ?? home else {
            throw S3LocationFailure(
                "no key for the store \(location.bucket): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a "
                    + "file with credentials=/PATH in the store's URL")
        }
        return .file(path: path, profile: location.profile)
    }

    /// The key as of now. Blocks on the file.
    public func current() throws(StoreFailure) -> SigningKey {
        guard case .file(let path, let profile) = source else {
            guard case .fixed(let key) = source else { preconditionFailure("a source is fixed or a file") }
            return key
        }
        let now = clock.uptime()
        let known = state.withLock { $0.key != nil && now - $0.readAt < Self.age ? $0.key : nil }
        if let known { return known }
        let key = try read(path, profile)
        state.withLock { $0 = State(key: key, readAt: now) }
        return key
    }

    /// The store refused the key: read the file before the next request.
    public func distrust() { state.withLock { $0.key = nil } }

    private func read(_ path: String, _ profile: String) throws(StoreFailure) -> SigningKey {
        let text: String
        do {
            let file = try disk.open(path, .readOnly)
            var bytes = [UInt8](repeating: 0, count: min(1 << 20, try file.size().bytes))
            try bytes.writeBytes { (all) throws(BlockFailure) in try file.read(at: 0, into: &all) }
            text = String(decoding: bytes, as: UTF8.self)
        } catch {
            throw .permanent(
                "the key cannot be read from \(path): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file "
                    + "with credentials=/PATH in the store's URL")
        }
        guard let key = CredentialsText.key(in: text, profile: profile) else {
            throw .permanent("\(path) has no aws_access_key_id and aws_secret_access_key under [\(profile)]")
        }
        return key
    }
}

/// The AWS shared-credentials format: sections in brackets, `name = value` lines.
enum CredentialsText {
    static func key(in text: String, profile: String) -> SigningKey? {
        var section = ""
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline).map(trimmed) {
            if line.hasPrefix("[") {
                section = trimmed(line.dropFirst().prefix { $0 != "]" })
            } else if section == profile, !line.hasPrefix("#"), !line.hasPrefix(";") {
                let parts = line.split(separator: "=", maxSplits: 1)
                if parts.count == 2 { values[trimmed(parts[0]).lowercased()] = trimmed(parts[1]) }
            }
        }
        guard let id = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else { return nil }
        return SigningKey(accessKeyID: id, secret: secret, sessionToken: values["aws_session_token"])
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" || $0 == "\r" }
        return String(String(start).reversed().drop { $0 == " " || $0 == "\t" || $0 == "\r" }.reversed())
    }
}
