/// A line of JSON and a line with its checksum: the shape of every small record.
///
/// ```
/// record = json "\n" "sha256 " 64-hex-digits "\n"
/// [ "hmac " 64-hex-digits "\n" ], of a manifest of an encrypted snapshot alone
/// ```
/// The digest is of the bytes before the first line's end. See docs/formats.md, "Records".
enum SealedText {
    static func sealed(_ json: [UInt8]) -> [UInt8] { sealed(json, Digest(of: json)) }

    private static func sealed(_ json: [UInt8], _ sum: Digest) -> [UInt8] {
        precondition(!json.contains(UInt8(ascii: "\n")))
        return json + Array("\nsha256 \(sum)\n".utf8)
    }

    /// The JSON, if the checksum is right.
    static func opened(_ bytes: [UInt8]) throws(FormatFailure) -> [UInt8] {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { throw FormatFailure("has no checksum line") }
        let json = Array(bytes[..<end])
        guard sealed(json) == bytes else { throw FormatFailure("does not match its checksum") }
        return json
    }

    /// With a line that authenticates it.
    static func sealed(_ json: [UInt8], by cipher: SnapshotCipher) -> [UInt8] {
        let sum = Digest(of: json)
        return sealed(json, sum) + macLine(cipher.mac(of: sum))
    }

    private static let macLineBytes = macLine(Digest(of: [])).count
    private static func macLine(_ mac: Digest) -> [UInt8] { Array("hmac \(mac)\n".utf8) }

    /// Like ``opened(_:)``, with what its third line says; nil if it has none.
    static func openedWithSeal(_ bytes: [UInt8]) throws(FormatFailure) -> (json: [UInt8], seal: ManifestSeal?) {
        let last = Array(bytes.suffix(macLineBytes))
        guard last.count == macLineBytes, last.starts(with: Array("hmac ".utf8)) else {
            return (try opened(bytes), nil)
        }
        let json = try opened(Array(bytes.dropLast(macLineBytes)))
        let digits = String(decoding: last.dropFirst(5).dropLast(), as: UTF8.self)
        guard let mac = Hexadecimal.bytes(of: digits).flatMap({ Digest($0) }), macLine(mac) == last else {
            throw FormatFailure("has a third line that makes no sense")
        }
        return (json, ManifestSeal(sum: Digest(of: json), mac: mac))
    }
}

/// What authenticates a manifest: to be checked by whoever has its data key, before anything of it is believed.
struct ManifestSeal: Equatable, Sendable {
    /// SHA-256 of the JSON.
    var sum: Digest
    /// ``SnapshotCipher/mac(of:)`` of that.
    var mac: Digest
}
