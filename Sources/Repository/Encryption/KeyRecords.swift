/// The object `keys/data/<id>`: a data key, once for each wrapping key that opens it. Replaced when that changes.
/// See docs/formats.md, "Keys".
struct DataKeyRecord: Equatable, Sendable {
    struct Wrap: Equatable, Sendable {
        var key: KeyID
        var nonce: [UInt8]
        /// The encrypted key and its tag.
        var wrapped: [UInt8]
    }
    var id: DataKeyID
    /// Milliseconds since 1970.
    var created: Int64
    var wraps: [Wrap]

    /// Encrypts the data key for one more wrapping key.
    ///
    /// The nonce is random: a wrapping key encrypts a few data keys, far from the 2^32 after which that is too often.
    mutating func add(_ dataKey: Secret, for id: KeyID, _ key: Secret) {
        wraps.removeAll { $0.key == id }
        let nonce = RandomBytes.make(AESGCM.nonceBytes)
        var bytes = dataKey.read { [UInt8](copying: $0) }
        let tag = AESGCM.seal(
            &bytes, 0..<bytes.count, KeyedHash.derive(key, "varve wrap"), nonce: nonce, context: context)
        wraps.append(Wrap(key: id, nonce: nonce, wrapped: bytes + tag))
    }

    /// The data key; nil if the wrap does not match the key: it was tampered with.
    func open(_ wrap: Wrap, _ key: Secret) -> Secret? {
        let content = wrap.wrapped.dropLast(AESGCM.tagBytes)
        let plain = wrap.wrapped.readBytes(0..<content.count) { sealed in
            AESGCM.open(
                sealed, tag: Array(wrap.wrapped.suffix(AESGCM.tagBytes)), KeyedHash.derive(key, "varve wrap"),
                nonce: wrap.nonce, context: context)
        }
        guard var plain else { return nil }
        return Secret(taking: &plain)
    }

    /// A wrap put under another data key's name does not open.
    private var context: [UInt8] { Array(id.text.utf8) }
}

/// The object `keys/passphrase/<uuid>`: how a passphrase becomes the wrapping key of that name. Immutable.
struct PassphraseRecord: Equatable, Sendable {
    var id: KeyID
    var scrypt: Scrypt
}

// MARK: JSON

private struct DataKeyJSON: Codable {
    struct Wrap: Codable {
        var keyId: String
        var nonce: String
        var wrapped: String
    }
    var version: Int
    var id: String
    var created: Int64
    var wraps: [Wrap]
}

private struct PassphraseJSON: Codable {
    var version: Int
    var keyId: String
    var kdf: String
    var n: Int
    var r: Int
    var p: Int
    var salt: String
}

extension DataKeyRecord {
    func encoded() -> [UInt8] {
        RecordJSON.encode(
            DataKeyJSON(
                version: 1, id: id.text, created: created,
                wraps: wraps.map { wrap in
                    DataKeyJSON.Wrap(
                        keyId: wrap.key.description, nonce: Hexadecimal.text(of: wrap.nonce),
                        wrapped: Hexadecimal.text(of: wrap.wrapped))
                }))
    }

    init(decoding bytes: [UInt8]) throws(FormatFailure) {
        let record = try RecordJSON.decode(DataKeyJSON.self, bytes)
        guard record.version == 1 else { throw FormatFailure("has format version \(record.version)") }
        guard let id = DataKeyID(record.id), record.wraps.count <= 64 else {
            throw FormatFailure("has values that make no sense")
        }
        var wraps: [Wrap] = []
        for wrap in record.wraps {
            guard let key = KeyID(wrap.keyId), let nonce = Hexadecimal.bytes(of: wrap.nonce),
                let wrapped = Hexadecimal.bytes(of: wrap.wrapped), nonce.count == AESGCM.nonceBytes,
                wrapped.count == 32 + AESGCM.tagBytes
            else { throw FormatFailure("has a wrap that makes no sense") }
            wraps.append(Wrap(key: key, nonce: nonce, wrapped: wrapped))
        }
        self.init(id: id, created: record.created, wraps: wraps)
    }
}

extension PassphraseRecord {
    func encoded() -> [UInt8] {
        RecordJSON.encode(
            PassphraseJSON(
                version: 1, keyId: id.description, kdf: "scrypt", n: scrypt.n, r: scrypt.r, p: scrypt.p,
                salt: Hexadecimal.text(of: scrypt.salt)))
    }

    init(decoding bytes: [UInt8]) throws(FormatFailure) {
        let record = try RecordJSON.decode(PassphraseJSON.self, bytes)
        guard record.version == 1, record.kdf == "scrypt" else {
            throw FormatFailure("has format version \(record.version) and the unknown derivation \"\(record.kdf)\"")
        }
        guard let id = KeyID(record.keyId), let salt = Hexadecimal.bytes(of: record.salt) else {
            throw FormatFailure("has values that make no sense")
        }
        let scrypt = Scrypt(n: record.n, r: record.r, p: record.p, salt: salt)
        guard scrypt.isSane else { throw FormatFailure("asks for a derivation beyond all measure") }
        self.init(id: id, scrypt: scrypt)
    }
}
