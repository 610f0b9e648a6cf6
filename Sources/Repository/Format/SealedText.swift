/// A line of JSON and a line with its checksum: the shape of every small record.
///
/// ```
/// record = json "\n" "sha256 " 64-hex-digits "\n"
/// ```
/// The digest is of the bytes before the first line's end. See docs/formats.md, "Records".
enum SealedText {
    static func sealed(_ json: [UInt8]) -> [UInt8] {
        precondition(!json.contains(UInt8(ascii: "\n")))
        return json + Array("\nsha256 \(Digest(of: json))\n".utf8)
    }

    /// The JSON, if the checksum is right.
    static func opened(_ bytes: [UInt8]) throws(FormatFailure) -> [UInt8] {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { throw FormatFailure("has no checksum line") }
        let json = Array(bytes[..<end])
        guard sealed(json) == bytes else { throw FormatFailure("does not match its checksum") }
        return json
    }
}
