internal import RequestSigning

/// Where a repository is in an S3 store, as people write it:
/// `s3://bucket/prefix?endpoint=https://host:port&region=eu-1&style=path&ca=/etc/ca.pem&credentials=/etc/keys&profile=p&timeout=30`
///
/// What is left out comes from the environment, under the names that other S3 tools use, or has a default. Secrets have no
/// place in it.
public struct S3Location: Equatable, Sendable {
    /// How a bucket is named in a request.
    public enum Style: String, Equatable, Sendable {
        /// `https://endpoint/bucket/key`.
        case path
        /// `https://bucket.endpoint/key`.
        case host
    }
    /// The bucket.
    public var bucket: String
    /// Put before every key: empty, or ending in `/`.
    public var prefix: String
    /// `http` or `https`, host and port.
    public var endpoint: S3Endpoint
    /// What requests are signed for.
    public var region: String
    /// How the bucket is named.
    public var style: Style
    /// A file of PEM certificates that are trusted beside the system's, or nil.
    public var authorities: String?
    /// A file with keys, or nil for the environment.
    public var credentials: String?
    /// The section of that file.
    public var profile: String
    /// The longest silence of the store.
    public var timeout: Duration
    /// As it was written.
    public var text: String

    /// Does this text mean an S3 store?
    public static func isMeant(by text: String) -> Bool { text.hasPrefix("s3://") }

    /// Reads `text`; `environment` supplies what it leaves out.
    public init(_ text: String, environment: [String: String]) throws(S3LocationFailure) {
        guard Self.isMeant(by: text) else { throw S3LocationFailure("'\(text)' does not start with s3://") }
        self.text = text
        let parts = text.dropFirst(5).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = parts[0].split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        bucket = try Self.bucket(String(place[0]))
        prefix = try Self.prefix(place.count > 1 ? place[1] : "")
        var settings = try Self.settings(parts.count > 1 ? parts[1] : "")

        func take(_ name: String, _ variables: String...) -> String? {
            let found = settings.removeValue(forKey: name) ?? variables.lazy.compactMap { environment[$0] }.first
            return found.flatMap { $0.isEmpty ? nil : $0 }
        }
        region = take("region", "AWS_REGION", "AWS_DEFAULT_REGION") ?? "us-east-1"
        let given = take("endpoint", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        endpoint = try S3Endpoint(given ?? "https://s3.\(region).amazonaws.com")
        let named = take("style")
        guard let style = named.map(Style.init(rawValue:)) ?? (given == nil ? .host : .path) else {
            throw S3LocationFailure("style=\(named ?? "") in the store's URL: give path or host")
        }
        self.style = style
        authorities = take("ca", "AWS_CA_BUNDLE")
        credentials = take("credentials")
        profile = take("profile", "AWS_PROFILE") ?? "default"
        let seconds = take("timeout") ?? "30"
        guard let count = Int(seconds), (1...3600).contains(count) else {
            throw S3LocationFailure("timeout=\(seconds) in the store's URL: give seconds, 1 to 3600")
        }
        timeout = .seconds(count)
        if let stranger = settings.keys.min() {
            throw S3LocationFailure(
                "the setting '\(stranger)' in the store's URL is not known; known are endpoint, region, style, ca, "
                    + "credentials, profile and timeout"
                    + (stranger.contains("key") || stranger.contains("secret")
                        ? "; keys go into the environment or a file" : ""))
        }
        for path in [authorities, credentials] {
            if let path, !path.hasPrefix("/") {
                throw S3LocationFailure("'\(path)' in the store's URL is not a path from the root")
            }
        }
    }

    private static func bucket(_ name: String) throws(S3LocationFailure) -> String {
        if name.contains("@") { throw S3LocationFailure("keys have no place in a store's URL: use the environment") }
        let isPlain = name.utf8.allSatisfy { byte in
            (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57)
                || [45, 46, 95].contains(byte)
        }
        guard isPlain, (3...63).contains(name.utf8.count), !name.hasPrefix("."), !name.hasPrefix("-") else {
            throw S3LocationFailure("'\(name)' cannot be a bucket: the store's URL is s3://BUCKET/PREFIX?endpoint=...")
        }
        return name
    }

    private static func prefix(_ text: Substring) throws(S3LocationFailure) -> String {
        let parts = text.split(separator: "/")
        let isPlain = parts.allSatisfy { part in
            part != "." && part != ".."
                && part.utf8.allSatisfy { byte in
                    (byte >= 97 && byte <= 122) || (byte >= 65 && byte <= 90) || (byte >= 48 && byte <= 57)
                        || [45, 46, 95].contains(byte)
                }
        }
        guard isPlain, text.utf8.count <= 256 else {
            throw S3LocationFailure(
                "the prefix '\(text)' in the store's URL: give at most 256 of a-z A-Z 0-9 - _ . and /")
        }
        return parts.map { $0 + "/" }.joined()
    }

    private static func settings(_ query: Substring) throws(S3LocationFailure) -> [String: String] {
        var settings: [String: String] = [:]
        for (name, value) in URIEncoding.decodedPairs(of: String(query)) {
            guard settings.updateValue(value, forKey: name) == nil else {
                throw S3LocationFailure("'\(name)' stands twice in the store's URL")
            }
        }
        return settings
    }
}

/// A server's address.
public struct S3Endpoint: Equatable, Sendable, CustomStringConvertible {
    /// TLS?
    public var isSecure: Bool
    /// A name or an address; IPv6 in brackets.
    public var host: String
    /// nil for the scheme's own.
    public var port: UInt16?

    /// Reads `https://host:port`.
    public init(_ text: String) throws(S3LocationFailure) {
        let wrong = S3LocationFailure("endpoint=\(text) in the store's URL is not of the form https://HOST:PORT")
        let scheme = text.hasPrefix("https://") ? "https://" : "http://"
        guard text.hasPrefix(scheme) else { throw wrong }
        isSecure = scheme == "https://"
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        let afterHost = rest.hasPrefix("[") ? rest.drop { $0 != "]" } : rest
        if let colon = afterHost.lastIndex(of: ":") {
            guard let number = UInt16(afterHost[afterHost.index(after: colon)...]), number > 0 else { throw wrong }
            port = number == (isSecure ? 443 : 80) ? nil : number
            rest = rest[..<colon]
        }
        host = rest.lowercased()
        let isPlain = host.utf8.allSatisfy { byte in
            (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 58) || [45, 46, 91, 93, 95].contains(byte)
        }
        guard !host.isEmpty, isPlain, host.hasPrefix("[") == host.hasSuffix("]"),
            host.hasPrefix("[") || !host.contains(":")
        else { throw wrong }
    }

    /// `host:port` as the `Host` header has it, below `bucket` if given.
    func authority(below bucket: String? = nil) -> String {
        (bucket.map { $0 + "." } ?? "") + host + (port.map { ":\($0)" } ?? "")
    }

    /// `https://host:port`.
    public var description: String { (isSecure ? "https://" : "http://") + authority() }
}

/// A location that makes no sense; the text says what and what to write instead.
public struct S3LocationFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// One plain sentence.
    public let description: String

    init(_ text: String) { description = text }
}
