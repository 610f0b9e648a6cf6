internal import ControlPlane

/// Ids as Kingsoft has them: UUIDs, each made of an object's number and nothing else, so that they need no table and no two
/// objects have the same one.
///
/// ```
/// nnnnnnnn-nnnn-4nnn-vncc-cccccccccccc    n: the 16 digits of the number; v, c: of its check
/// ```
enum KingsoftID {
    /// What begins the ids of the control plane.
    enum Kind: String, CaseIterable {
        case volume = "vol-"
        case snapshot = "snap-"
        case instance = "i-"
        case image = "ami-"
        case policy = "policy-"
    }

    private static let length = 16

    /// The UUID of something; nil for ids of a form that only early versions gave, which this cloud's clients do not see.
    static func uuid(_ id: String, _ kind: Kind) -> String? {
        ObjectNumber(id: id, prefix: kind.rawValue).map(uuid)
    }

    private static func uuid(_ number: ObjectNumber) -> String {
        let digits = hex(number.bits), check = hex(number.check)
        // Version 4, and the variant that goes with it: bits 10 and two of the check's.
        let variant = String(0b1000 | (number.check >> 62), radix: 16)
        func part(_ text: [Character], _ range: Range<Int>) -> String { String(text[range]) }
        return [
            part(digits, 0..<8), part(digits, 8..<12), "4" + part(digits, 12..<15),
            variant + part(digits, 15..<16) + part(check, 1..<3), part(check, 3..<15),
        ].joined(separator: "-")
    }

    /// The id of the control plane that a UUID is of; nil if none was ever given that.
    static func id(_ uuid: String, _ kind: Kind) -> String? {
        let text = Array(uuid.lowercased())
        guard text.count == 36 else { return nil }
        let digits = String(text[0..<8] + text[9..<13] + text[15..<18] + text[20..<21])
        guard digits.allSatisfy(\.isHexDigit), let bits = UInt64(digits, radix: 16) else { return nil }
        let number = ObjectNumber(bits: bits)
        return self.uuid(number) == String(text) ? number.id(prefix: kind.rawValue) : nil
    }

    private static func hex(_ bits: UInt64) -> [Character] {
        let digits = String(bits, radix: 16)
        return Array(String(repeating: "0", count: length - digits.utf8.count) + digits)
    }

    /// A message with this cloud's ids instead of the control plane's.
    static func translated(_ message: String) -> String {
        var result = "", word = ""
        func shown(_ word: String) -> String {
            for kind in Kind.allCases where word.hasPrefix(kind.rawValue) {
                if let uuid = uuid(word, kind) { return uuid }
            }
            return word
        }
        for character in message {
            if character.isASCII, character.isLetter || character.isNumber || character == "-" {
                word.append(character)
            } else {
                result += shown(word)
                word = ""
                result.append(character)
            }
        }
        return result + shown(word)
    }
}
