internal import ControlPlane

/// Ids as Alibaba's clients know them: a prefix and 20 lower-case letters and digits.
///
/// They follow from the control plane's own and tell them: 13 digits of base 36 for the object's number and 7 of its check. So
/// nothing has to be remembered, and an id that was never given is known as that.
enum ECSID {
    enum Kind: CaseIterable {
        case disk, snapshot, chain, group, instance, image, policy, task

        var prefix: String {
            switch self {
            case .disk: "d-"
            case .snapshot: "s-"
            case .chain: "sl-"
            case .group: "ssg-"
            case .instance: "i-"
            case .image: "m-"
            case .policy: "sp-"
            case .task: "t-"
            }
        }

        var nativePrefix: String {
            switch self {
            case .disk, .chain: "vol-"
            case .snapshot: "snap-"
            case .group: "group-"
            case .instance: "i-"
            case .image: "ami-"
            case .policy: "policy-"
            // There is a task for each snapshot that was put into the archive, and no other.
            case .task: "snap-"
            }
        }
    }

    private static let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8)
    private static let numberCount = 13, checkCount = 7

    /// The name of an object here; nil: the id is not of this house's making.
    static func name(_ native: String, _ kind: Kind) -> String? {
        guard let number = ObjectNumber(id: native, prefix: kind.nativePrefix) else { return nil }
        return kind.prefix + text(number.bits, numberCount) + text(number.check, checkCount)
    }

    /// The control plane's id of what has that name; nil: nothing ever had it.
    static func native(_ name: String, _ kind: Kind) -> String? {
        let rest = Array(name.utf8.dropFirst(kind.prefix.utf8.count))
        guard name.hasPrefix(kind.prefix), rest.count == numberCount + checkCount else { return nil }
        var bits: UInt64 = 0
        for digit in rest.prefix(numberCount) {
            guard let value = digits.firstIndex(of: digit) else { return nil }
            let (product, isTooLarge) = bits.multipliedReportingOverflow(by: 36)
            let (sum, isLarger) = product.addingReportingOverflow(UInt64(value))
            guard !isTooLarge, !isLarger else { return nil }
            bits = sum
        }
        let native = ObjectNumber(bits: bits).id(prefix: kind.nativePrefix)
        return self.name(native, kind) == name ? native : nil
    }

    /// What the control plane says about objects, by the names that they have here.
    static func inWords(_ text: String) -> String {
        var words = "", word = ""
        func name(_ word: String) -> String {
            // A chain is called after its disk, which comes first.
            Kind.allCases.lazy.compactMap { Self.name(word, $0) }.first ?? word
        }
        for character in text {
            if character.isLetter || character.isNumber || character == "-" {
                word.append(character)
            } else {
                words += name(word)
                words.append(character)
                word = ""
            }
        }
        return words + name(word)
    }

    /// The last digits of a number, in base 36.
    private static func text(_ number: UInt64, _ count: Int) -> String {
        var rest = number
        var text: [UInt8] = []
        for _ in 0..<count {
            text.append(digits[Int(rest % 36)])
            rest /= 36
        }
        return String(decoding: text.reversed(), as: UTF8.self)
    }
}
