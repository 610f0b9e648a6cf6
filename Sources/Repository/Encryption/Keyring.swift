internal import Blocks

/// The wrapping keys that this process was given. Keys are held in memory only, and wiped at the end.
public final class Keyring: Sendable {
    private struct State {
        var keys: [KeyID: Secret] = [:]
        /// As they were given: a key, or a passphrase that becomes one together with a record of the store.
        var order: [Entry] = []
        /// Passphrase records of which no passphrase is the right one.
        var strangers: Set<KeyID> = []
    }
    private enum Entry {
        case key(KeyID)
        case passphrase(Secret, found: KeyID?)
    }
    private let state = Guarded(State())

    /// A ring without keys.
    public init() {}

    /// Adds a key of 32 bytes, and wipes the array. The first one added is used where none is asked for by name.
    ///
    /// - Returns: its name.
    @discardableResult
    public func add(key bytes: inout [UInt8]) -> KeyID {
        precondition(bytes.count == 32, "a wrapping key has 32 bytes")
        return add(Secret(taking: &bytes))
    }

    func add(_ secret: Secret) -> KeyID {
        let id = KeyID(of: secret)
        state.withLock { state in
            guard state.keys.updateValue(secret, forKey: id) == nil else { return }
            state.order.append(.key(id))
        }
        return id
    }

    /// Adds a passphrase, and wipes the array. Which key it stands for is known once the store was asked.
    public func add(passphrase bytes: inout [UInt8]) {
        let secret = Secret(taking: &bytes)
        state.withLock { $0.order.append(.passphrase(secret, found: nil)) }
    }

    /// The names of the keys at hand, in order; passphrases only once they were matched.
    public var ids: [KeyID] {
        state.withLock { state in
            state.order.compactMap { entry in
                switch entry {
                case .key(let id): id
                case .passphrase(_, let found): found
                }
            }
        }
    }

    /// Is the first one a passphrase that was not matched yet?
    var beginsWithPassphrase: Bool {
        state.withLock { state in
            guard case .passphrase(_, nil) = state.order.first else { return false }
            return true
        }
    }

    func key(_ id: KeyID) -> Secret? { state.withLock { $0.keys[id] } }

    /// Passphrases that no record of the store was matched with.
    var unmatched: [Secret] {
        state.withLock { state in
            state.order.compactMap { entry in
                guard case .passphrase(let secret, nil) = entry else { return nil }
                return secret
            }
        }
    }

    /// Tries the passphrases on a record of the store; each record is tried once.
    func match(_ id: KeyID, _ scrypt: Scrypt) -> Secret? {
        if let known = key(id) { return known }
        guard state.withLock({ !$0.strangers.contains(id) }) else { return nil }
        for passphrase in unmatched {
            let key = scrypt.key(of: passphrase)
            if KeyID(of: key) == id {
                learn(id, key, of: passphrase)
                return key
            }
        }
        state.withLock { _ = $0.strangers.insert(id) }
        return nil
    }

    /// Notes which key a passphrase stands for.
    func learn(_ id: KeyID, _ key: Secret, of passphrase: Secret) {
        state.withLock { state in
            state.keys[id] = key
            state.strangers.remove(id)
            for (index, entry) in state.order.enumerated() {
                guard case .passphrase(let known, nil) = entry, known === passphrase else { continue }
                state.order[index] = .passphrase(known, found: id)
            }
        }
    }
}
