internal import Blocks
internal import ObjectStore

/// Opens data keys: those of the store, with the wrapping keys that this process was given. Thread-safe; blocks.
final class KeyVault: Sendable {
    private let access: PackAccess
    private let keys: Keys
    private let keyring: Keyring
    private let opened = Guarded<[DataKeyID: SnapshotCipher]>([:])

    init(access: PackAccess, keys: Keys, keyring: Keyring) {
        self.access = access
        self.keys = keys
        self.keyring = keyring
    }

    /// What encrypts under a data key.
    ///
    /// - Throws: ``RepositoryFailure/keyMissing(_:wrappedBy:)`` if none of the keys at hand opens it.
    func cipher(_ id: DataKeyID) throws(RepositoryFailure) -> SnapshotCipher {
        if let known = opened.withLock({ $0[id] }) { return known }
        let cipher = SnapshotCipher(id, try dataKey(try record(id)))
        opened.withLock { $0[id] = cipher }
        return cipher
    }

    func record(_ id: DataKeyID) throws(RepositoryFailure) -> DataKeyRecord {
        let key = keys.dataKey(id)
        var found = try access.object(key)
        if found == nil {
            // An unmounted folder has no keys either, and is no reason to give anything up.
            try requireStore()
            found = try access.object(key)
        }
        guard let bytes = found else {
            throw .corrupt(object: key, blocks: nil, reason: "it is missing from the store")
        }
        do throws(FormatFailure) {
            let record = try DataKeyRecord(decoding: bytes)
            guard record.id == id else { throw FormatFailure("is that of \(record.id)") }
            return record
        } catch { throw .corrupt(object: key, blocks: nil, reason: "the record \(error.reason)") }
    }

    /// Is this the store that we opened, and not the place where it is mounted?
    func requireStore() throws(RepositoryFailure) {
        guard try access.object(keys.repository) != nil else {
            throw .store(.transient("there is no object \(keys.repository) any more: is it mounted?"))
        }
    }

    /// The data key of a record, by whichever wrapping key is at hand.
    func dataKey(_ record: DataKeyRecord) throws(RepositoryFailure) -> Secret {
        var isTampered = false
        for wrap in record.wraps {
            guard let key = try wrappingKey(wrap.key) else { continue }
            if let opened = record.open(wrap, key) { return opened }
            isTampered = true
        }
        if isTampered {
            throw .corrupt(
                object: keys.dataKey(record.id), blocks: nil, reason: "its wrapped key does not match its wrapping key")
        }
        throw .keyMissing(record.id, wrappedBy: record.wraps.map(\.key))
    }

    /// A wrapping key that is at hand, be it as a passphrase; nil if it is not.
    func wrappingKey(_ id: KeyID) throws(RepositoryFailure) -> Secret? {
        if let known = keyring.key(id) { return known }
        guard !keyring.unmatched.isEmpty, let record = try passphrase(id) else { return nil }
        return keyring.match(id, record.scrypt)
    }

    private func passphrase(_ id: KeyID) throws(RepositoryFailure) -> PassphraseRecord? {
        let key = keys.passphrase(id)
        guard let bytes = try access.object(key) else { return nil }
        do throws(FormatFailure) {
            let record = try PassphraseRecord(decoding: bytes)
            guard record.id == id else { throw FormatFailure("is that of \(record.id)") }
            return record
        } catch { throw .corrupt(object: key, blocks: nil, reason: "the record \(error.reason)") }
    }

    // MARK: Making keys

    /// The wrapping key for a new data key: the one asked for, or the first at hand.
    func wrappingKey(forNew wanted: KeyID?) throws(RepositoryFailure) -> (id: KeyID, key: Secret) {
        if let wanted {
            guard let key = try wrappingKey(wanted) else {
                throw .invalid("the key \(wanted) is not here: serve with its --key-file or --passphrase-file")
            }
            return (wanted, key)
        }
        if keyring.beginsWithPassphrase { try matchPassphrases(mayRegister: true) }
        guard !keyring.beginsWithPassphrase, let first = keyring.ids.first, let key = keyring.key(first) else {
            if keyring.beginsWithPassphrase {
                throw .invalid(
                    "the passphrase is none that this store knows; if it is a new one, rotate to new-passphrase first")
            }
            throw .invalid("there is no key to encrypt with: serve with --key-file FILE or --passphrase-file FILE")
        }
        return (first, key)
    }

    /// Finds out which keys the passphrases stand for. The very first passphrase of a store needs no more than this.
    private func matchPassphrases(mayRegister: Bool) throws(RepositoryFailure) {
        let known = try passphraseIDs()
        for id in known { _ = try wrappingKey(id) }
        if known.isEmpty, mayRegister { _ = try registerPassphrase() }
    }

    func passphraseIDs() throws(RepositoryFailure) -> [KeyID] {
        var ids: [KeyID] = []
        try access.list(keys.passphrases) { entry in
            if let id = KeyID(String(entry.key.dropFirst(keys.passphrases.count))) { ids.append(id) }
        }
        return ids
    }

    /// Makes a wrapping key of the first passphrase that the store does not know.
    func registerPassphrase() throws(RepositoryFailure) -> KeyID {
        for id in try passphraseIDs() { _ = try wrappingKey(id) }
        guard let passphrase = keyring.unmatched.first else {
            throw .invalid("there is no new passphrase here: serve with its --passphrase-file too")
        }
        let scrypt = Scrypt(salt: RandomBytes.make(32))
        let key = scrypt.key(of: passphrase)
        let id = KeyID(of: key)
        guard try access.putOnce(PassphraseRecord(id: id, scrypt: scrypt).encoded(), at: keys.passphrase(id)) else {
            throw .corrupt(object: keys.passphrase(id), blocks: nil, reason: "something else is there")
        }
        keyring.learn(id, key, of: passphrase)
        return id
    }

    /// Makes and stores a data key.
    func makeDataKey(for wanted: KeyID?, at time: WallTime) throws(RepositoryFailure) -> (DataKeyID, KeyID) {
        let (keyID, key) = try wrappingKey(forNew: wanted)
        let secret = Secret.random()
        var record = DataKeyRecord(id: .random(), created: time.milliseconds, wraps: [])
        record.add(secret, for: keyID, key)
        guard try access.putOnce(record.encoded(), at: keys.dataKey(record.id)) else {
            throw .corrupt(object: keys.dataKey(record.id), blocks: nil, reason: "something else is there")
        }
        return (record.id, keyID)
    }

    func dataKeyIDs() throws(RepositoryFailure) -> [DataKeyID] {
        var ids: [DataKeyID] = []
        try access.list(keys.dataKeys) { entry in
            if let id = DataKeyID(String(entry.key.dropFirst(keys.dataKeys.count))) { ids.append(id) }
        }
        return ids
    }
}
