internal import Blocks
internal import ControlPlane
internal import Foundation
internal import S3

/// Paths and addresses as people write them.
enum Places {
    /// The path from the root; `~` is left to the shell.
    static func absolute(_ path: String) -> String {
        let whole = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// A store's directory, from `dir:///PATH` or a path; or its URL, `s3://...`, as it is.
    static func store(_ text: String) throws -> String {
        if S3Location.isMeant(by: text) {
            try S3Opener.check(text)
            return text
        }
        if text.hasPrefix("dir://") {
            let path = String(text.dropFirst("dir://".count))
            guard path.hasPrefix("/") else {
                throw CommandFailure.usage("the store '\(text)' is not of the form dir:///PATH")
            }
            return absolute(path)
        }
        guard !text.contains("://"), !text.isEmpty else {
            throw CommandFailure.usage(
                "the store '\(text)' is not known; give dir:///PATH, a path, or s3://BUCKET/PREFIX?endpoint=...")
        }
        return absolute(text)
    }

    /// Reads `HOST:PORT`; an IPv6 address stands in brackets.
    static func hostAndPort(_ text: String) throws -> (host: String, port: Int) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2, let last = parts.last, let port = UInt16(last) else {
            throw CommandFailure.usage("'\(text)' is not of the form HOST:PORT, such as 127.0.0.1:8420")
        }
        let host = parts.dropLast().joined(separator: ":")
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        guard !host.isEmpty, parts.count == 2 || isBracketed else {
            throw CommandFailure.usage("'\(text)' is not of the form HOST:PORT; an IPv6 address stands in brackets")
        }
        return (isBracketed ? String(host.dropFirst().dropLast()) : host, Int(port))
    }

    /// Do packets to it stay on this machine?
    static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}

/// Where volumes are offered on this host.
struct SocketPlace: Equatable {
    /// The socket.
    let path: String
    /// Why it is not in the data directory, or nil.
    let reason: String?

    /// What the kernel takes for a unix socket's path, without the zero at its end.
    static let lengthMax = 107

    /// `<data>/sockets/nbd.sock`, or, where that is too long for a socket, a short path that is the same at every start.
    init(data: String) {
        let own = data + "/sockets/nbd.sock"
        guard own.utf8.count > Self.lengthMax else {
            (path, reason) = (own, nil)
            return
        }
        let place = FileManager.default.isWritableFile(atPath: "/run") ? "/run" : "/tmp"
        path = "\(place)/varve-\(Self.mark(of: data))/nbd.sock"
        reason = "\(own) is longer than the \(Self.lengthMax) bytes of a socket's path"
    }

    /// 16 hexadecimal digits that stand for a path (FNV-1a).
    private static func mark(of path: String) -> String {
        let hash = path.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The socket of one disk: `exports/<instance>/<device>.sock` beside the folder of this one, or in the short place.
    func path(of disk: ExportPlace) -> String? {
        let base =
            reason == nil ? String(path.dropLast("/sockets/nbd.sock".count)) : String(path.dropLast("/nbd.sock".count))
        let own = "\(base)/exports/\(disk.instance)/\(disk.device).sock"
        return own.utf8.count <= Self.lengthMax ? own : nil
    }

    /// The URI of an export, as NBD clients take it.
    func uri(of name: String) -> String {
        var plain = CharacterSet.alphanumerics
        plain.insert(charactersIn: "-._~/")
        let socket = path.addingPercentEncoding(withAllowedCharacters: plain) ?? path
        return "nbd+unix:///\(name)?socket=\(socket)"
    }
}
