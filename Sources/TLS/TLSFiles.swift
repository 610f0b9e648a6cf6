internal import Blocks

/// The files that TLS is set up from, all PEM but the shared keys.
public struct TLSFiles: Equatable, Sendable {
    /// The server's certificate, followed by those that lead to its authority.
    public var certificate: String?
    /// The certificate's private key, without a passphrase.
    public var key: String?
    /// The authorities whose certificates clients must have; nil lets clients in without one.
    public var clientAuthorities: String?
    /// Keys that client and server share, as lines `user:hexadecimal key`.
    public var sharedKeys: String?

    /// Names the files; none is read yet.
    public init(
        certificate: String? = nil, key: String? = nil, clientAuthorities: String? = nil, sharedKeys: String? = nil
    ) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
        self.sharedKeys = sharedKeys
    }

    /// One of them.
    public enum Part: Sendable, CaseIterable {
        /// See ``TLSFiles/certificate``.
        case certificate
        /// See ``TLSFiles/key``.
        case key
        /// See ``TLSFiles/clientAuthorities``.
        case clientAuthorities
        /// See ``TLSFiles/sharedKeys``.
        case sharedKeys
    }

    /// Must a client prove who it is?
    public var authenticatesClients: Bool { clientAuthorities != nil || sharedKeys != nil }

    func path(of part: Part) -> String? {
        switch part {
        case .certificate: certificate
        case .key: key
        case .clientAuthorities: clientAuthorities
        case .sharedKeys: sharedKeys
        }
    }
}

/// A file that TLS cannot be set up from.
public struct TLSFileFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Which file.
    public let part: TLSFiles.Part
    /// Where it is.
    public let path: String
    /// What is wrong with it and what to do.
    public let reason: String

    /// "/etc/varve/key.pem holds no private key ...".
    public var description: String { "\(path) \(reason)" }
}

/// What was in the files at one moment.
struct TLSMaterial: Equatable, Sendable {
    let files: TLSFiles
    private var contents: [TLSFiles.Part: [UInt8]] = [:]

    private static let sizeMax = 1 << 20

    /// Reads every file that is named.
    init(reading files: TLSFiles) throws(TLSFileFailure) {
        self.files = files
        for part in TLSFiles.Part.allCases {
            guard let path = files.path(of: part) else { continue }
            contents[part] = try Self.read(part, path)
        }
    }

    /// Path and content of a file, or nil when none is named.
    subscript(_ part: TLSFiles.Part) -> (path: String, bytes: [UInt8])? {
        guard let path = files.path(of: part), let bytes = contents[part] else { return nil }
        return (path, bytes)
    }

    private static func read(_ part: TLSFiles.Part, _ path: String) throws(TLSFileFailure) -> [UInt8] {
        func failure(_ reason: String) -> TLSFileFailure { TLSFileFailure(part: part, path: path, reason: reason) }
        do {
            guard let facts = try LocalDisk().facts(path) else { throw failure("does not exist") }
            guard !facts.isDirectory else { throw failure("is a directory") }
            let file = try LocalDisk().open(path, .readOnly)
            let size = try file.size().bytes
            guard size <= sizeMax else { throw failure("is \(size) bytes long, too long for what it should hold") }
            var bytes = [UInt8](repeating: 0, count: size)
            if size > 0 { try bytes.writeBytes { span in try file.read(at: 0, into: &span) } }
            return bytes
        } catch let found as TLSFileFailure {
            throw found
        } catch let found as DiskFailure {
            throw failure("cannot be read: \(ErrnoText.of(found.errno))")
        } catch { throw failure("cannot be read: \(error)") }
    }
}
