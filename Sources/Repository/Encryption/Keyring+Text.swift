extension Keyring {
    /// Adds the key that a key file holds: 64 hexadecimal digits and at most one line end. Wipes the text.
    ///
    /// - Returns: its name, or nil if the text is no key.
    @discardableResult
    public func add(keyFileText text: inout [UInt8]) -> KeyID? {
        Keyring.key(keyFileText: &text).map { add($0) }
    }

    /// The key that a key file holds, or nil. Wipes the text.
    static func key(keyFileText text: inout [UInt8]) -> Secret? {
        defer { text.wipe() }
        var digits = text[...]
        if digits.last == UInt8(ascii: "\n") { digits.removeLast() }
        guard digits.count == 64 else { return nil }
        var key: [UInt8] = []
        key.reserveCapacity(32)
        defer { key.wipe() }
        var high: UInt8?
        for digit in digits {
            guard let value = Keyring.value(of: digit) else { return nil }
            if let upper = high {
                key.append(upper << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return Secret(taking: &key)
    }

    /// Adds the passphrase that a file holds: all of it without one line end at its end. Wipes the text.
    ///
    /// - Returns: false if it is empty.
    public func add(passphraseFileText text: inout [UInt8]) -> Bool {
        defer { text.wipe() }
        var phrase = text
        if phrase.last == UInt8(ascii: "\n") { phrase.removeLast() }
        guard !phrase.isEmpty else { return false }
        add(passphrase: &phrase)
        return true
    }

    /// A new random key as a key file holds it, and its name.
    public static func newKeyFileText() -> (text: [UInt8], id: KeyID) {
        let digits = Array("0123456789abcdef".utf8)
        let key = Secret.random()
        let text = key.read { bytes in
            [UInt8](copying: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        }
        return (text + [UInt8(ascii: "\n")], KeyID(of: key))
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
