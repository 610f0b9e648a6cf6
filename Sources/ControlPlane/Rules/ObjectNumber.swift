/// The 64 random bits of an object's id, from which each dialect makes the name that its cloud would give the object.
///
/// An id and its number tell each other: `vol-0123456789abcdef0` is a volume of the number 0x123456789abcdef0. So a name that
/// a dialect derives from the number needs no table, stays the same for ever, and two objects never share one. ``check`` fills
/// the rest of a longer name: whoever reads a name compares it, and so knows a name that was never given.
public struct ObjectNumber: Hashable, Sendable {
    /// The bits.
    public let bits: UInt64

    /// Of a name that a dialect took apart.
    public init(bits: UInt64) { self.bits = bits }

    /// Of an id of the control plane's: a prefix, `0`, and 16 hexadecimal digits in lower case. Nil for anything else.
    public init?(id: String, prefix: String) {
        let digits = id.utf8.dropFirst(prefix.utf8.count)
        guard id.hasPrefix(prefix), digits.count == 17, digits.first == UInt8(ascii: "0") else { return nil }
        var bits: UInt64 = 0
        for digit in digits.dropFirst() {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): bits = bits << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): bits = bits << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        self.bits = bits
    }

    /// The id of the control plane's with this number.
    public func id(prefix: String) -> String {
        let digits = String(bits, radix: 16)
        return prefix + "0" + String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// 64 bits that follow from the number and look as random as it does: the finaliser of SplitMix64 (Steele, Lea, Flood,
    /// "Fast splittable pseudorandom number generators", 2014). It guards against slips of the hand, not against guessing:
    /// who may see an object is asked in any case.
    public var check: UInt64 {
        var mixed = bits &+ 0x9e37_79b9_7f4a_7c15
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
