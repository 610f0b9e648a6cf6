internal import Blocks

/// Keeps short secrets where others may read, such as in a database: encrypted with one key that is kept elsewhere.
///
/// AES-256-GCM with a random nonce each, which is far from too often for the few that a house gives out. What a text is for is part
/// of its seal: nobody can put one in another's place.
public struct SecretBox: Sendable {
    private let key: Secret

    /// The key that a key file holds (``Keyring/newKeyFileText()``); nil if the text is none. Wipes the text.
    public init?(keyFileText text: inout [UInt8]) {
        guard let key = Keyring.key(keyFileText: &text) else { return nil }
        self.key = key
    }

    /// Encrypts `text`, which only ``open(_:for:)`` with the same `purpose` shows again. Hexadecimal.
    public func seal(_ text: String, for purpose: String) -> String {
        let nonce = RandomBytes.make(AESGCM.nonceBytes)
        var bytes = Array(text.utf8)
        let tag = AESGCM.seal(&bytes, 0..<bytes.count, key, nonce: nonce, context: Array(purpose.utf8))
        return Hexadecimal.text(of: nonce + bytes + tag)
    }

    /// The text, or nil if it was not sealed with this key for this purpose.
    public func open(_ sealed: String, for purpose: String) -> String? {
        guard let bytes = Hexadecimal.bytes(of: sealed), bytes.count >= AESGCM.nonceBytes + AESGCM.tagBytes else {
            return nil
        }
        let nonce = Array(bytes.prefix(AESGCM.nonceBytes)), tag = Array(bytes.suffix(AESGCM.tagBytes))
        let plain = bytes.readBytes(AESGCM.nonceBytes..<bytes.count - AESGCM.tagBytes) { content in
            AESGCM.open(content, tag: tag, key, nonce: nonce, context: Array(purpose.utf8))
        }
        return plain.map { String(decoding: $0, as: UTF8.self) }
    }
}
