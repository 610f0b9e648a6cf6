/// What names and descriptions may be.
enum Names {
    /// 2 to 50 letters, digits, `-` and `_`; nil if it is not there.
    static func name(_ parameter: String, _ call: KingsoftCall) throws(KingsoftFailure) -> String? {
        guard let text = call.parameters[parameter] else { return nil }
        guard (2...50).contains(text.utf8.count), text.utf8.allSatisfy(isPlain) else {
            throw .wrong(parameter, "It has 2 to 50 letters, digits, - and _.")
        }
        return text
    }

    /// The same of a snapshot: names that begin with `auto` are those of policies.
    static func snapshot(
        _ call: KingsoftCall, _ parameter: String = "SnapshotName"
    ) throws(KingsoftFailure) -> String? {
        let text = try name(parameter, call)
        if let text, text.hasPrefix("auto") {
            throw .wrong(parameter, "It must not begin with auto, which is kept for policies.")
        }
        return text
    }

    /// At most 128 characters; nil if it is not there.
    static func description(_ parameter: String, _ call: KingsoftCall) throws(KingsoftFailure) -> String? {
        guard let text = call.parameters[parameter] else { return nil }
        guard text.unicodeScalars.count <= 128 else { throw .wrong(parameter, "It has at most 128 characters.") }
        return text
    }

    /// The same of a new volume: no address is in it.
    static func newVolume(_ call: KingsoftCall) throws(KingsoftFailure) -> String? {
        let text = try description("VolumeDesc", call)
        if let text, text.contains("://") { throw .wrong("VolumeDesc", "It must have no URL in it.") }
        return text
    }

    /// Letters, digits, Chinese characters and some marks, as policies and images have them.
    static func wide(_ parameter: String, _ text: String, lengths: ClosedRange<Int>) throws(KingsoftFailure) -> String {
        let marks = "-_@#.".unicodeScalars
        let isRight = text.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || $0.properties.numericType != nil || marks.contains($0)
        }
        guard lengths.contains(text.unicodeScalars.count), isRight else {
            throw .wrong(
                parameter,
                "It has \(lengths.lowerBound) to \(lengths.upperBound) Chinese characters, letters, digits and -_@#.")
        }
        return text
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
