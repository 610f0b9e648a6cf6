/// A number of bytes as people write it: `8GiB`, `500M`, `1.5T`, `4096`.
///
/// Units: K, M, G, T, P and KiB, MiB, GiB, TiB, PiB are powers of 1024; KB, MB, GB, TB, PB powers of 1000; B or none is
/// bytes. Case does not matter. A fraction is allowed if the result is a whole number of bytes.
public struct Size: Equatable, Sendable {
    /// The number of bytes.
    public let bytes: Int

    /// Makes one of `bytes`.
    public init(bytes: Int) { self.bytes = bytes }

    /// Reads a size.
    ///
    /// - Throws: ``SizeFailure`` with a sentence that names the text and what is allowed.
    public init(_ text: String) throws(SizeFailure) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let factor = Self.factors[unit] else { throw SizeFailure(text: text, reason: "is not a size") }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int(parts[0]), parts[0].count <= 19 else {
            throw SizeFailure(text: text, reason: digits.count >= 19 ? "is too large" : "is not a size")
        }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard parts.count == 1 || !fraction.isEmpty, fraction.count <= 9 else {
            throw SizeFailure(text: text, reason: "is not a size")
        }
        let (product, overflow) = whole.multipliedReportingOverflow(by: factor)
        guard !overflow, let rest = Self.part(fraction, of: factor), product <= Int.max - rest else {
            throw SizeFailure(text: text, reason: overflow ? "is too large" : "is not a whole number of bytes")
        }
        bytes = product + rest
    }

    /// `0.fraction` times `factor`, if that is whole.
    private static func part(_ fraction: Substring, of factor: Int) -> Int? {
        guard !fraction.isEmpty else { return 0 }
        guard let digits = Int(fraction) else { return nil }
        let scale = (0..<fraction.count).reduce(1) { product, _ in product * 10 }
        let (high, low) = digits.multipliedFullWidth(by: factor)
        guard high < scale else { return nil }
        let (quotient, remainder) = scale.dividingFullWidth((high, low))
        return remainder == 0 ? quotient : nil
    }

    private static let factors: [String: Int] = {
        var factors = ["": 1, "b": 1]
        for (power, letter) in ["k", "m", "g", "t", "p"].enumerated() {
            factors[letter] = 1 << (10 * (power + 1))
            factors[letter + "ib"] = 1 << (10 * (power + 1))
            factors[letter + "b"] = (0...power).reduce(1) { product, _ in product * 1000 }
        }
        return factors
    }()
}

/// Why a text is no size.
public struct SizeFailure: Error, Equatable, CustomStringConvertible {
    let text: String
    let reason: String

    /// What was wrong, with which value, and what to write instead.
    public var description: String {
        "'\(text)' \(reason); write sizes as 8GiB, 500M, 1.5T or a number of bytes"
    }
}

extension Size: CustomStringConvertible {
    /// For people: three significant digits and a binary unit, `5.40 GiB`; below 1 KiB exact.
    public var description: String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var unit = 0
        var value = Double(bytes) / 1024
        while value >= 999.5, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(Decimals.threeDigits(value)) \(units[unit])"
    }
}

/// Numbers with a fixed number of digits.
enum Decimals {
    /// Three significant digits: 1.23, 12.3, 123; whole numbers without a fraction.
    static func threeDigits(_ value: Double) -> String {
        if value == value.rounded() { return String(Int(value)) }
        let places = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
        return fixed(value, places: places)
    }

    /// `value` with exactly `places` digits after the point.
    static func fixed(_ value: Double, places: Int) -> String {
        let scale = (0..<places).reduce(1) { product, _ in product * 10 }
        let scaled = Int((value * Double(scale)).rounded())
        guard places > 0 else { return String(scaled) }
        let fraction = String(scaled % scale)
        return "\(scaled / scale)." + String(repeating: "0", count: places - fraction.count) + fraction
    }
}
