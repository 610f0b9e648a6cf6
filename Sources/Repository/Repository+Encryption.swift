internal import Blocks

/// Keys. A volume's lineage has one random data key; wrapping keys, which never reach the store, protect those.
extension Repository {
    /// Makes a data key for a new lineage, wrapped by `key` (nil: the first of the keyring), and stores it.
    ///
    /// - Throws: ``RepositoryFailure/invalid(_:)`` if that key is not here.
    public func makeDataKey(wrappedBy key: KeyID? = nil) throws(RepositoryFailure) -> DataKey {
        let (id, wrappedBy) = try vault.makeDataKey(for: key, at: options.clock.now())
        return DataKey(id: id, wrappedBy: [wrappedBy])
    }

    /// Every data key of the store, and which wrapping keys open it. Needs no key.
    public func dataKeys() throws(RepositoryFailure) -> [DataKey] {
        var found: [DataKey] = []
        for id in try vault.dataKeyIDs() {
            found.append(DataKey(id: id, wrappedBy: try vault.record(id).wraps.map(\.key)))
        }
        return found
    }

    /// Can this process read and write what the data key protects?
    ///
    /// - Throws: ``RepositoryFailure/keyMissing(_:wrappedBy:)`` if not.
    public func open(_ dataKey: DataKeyID) throws(RepositoryFailure) { _ = try vault.cipher(dataKey) }

    /// Is the wrapping key at hand?
    public func holds(_ key: KeyID) throws(RepositoryFailure) -> Bool { try vault.wrappingKey(key) != nil }

    /// Makes `target` the wrapping key of every data key that `old` opens (nil: that any key at hand opens). Both must be
    /// at hand. Safe beside everything else, and to be repeated; one at a time.
    public func rotate(to target: KeyID, from old: KeyID? = nil) throws(RepositoryFailure) -> RotationReport {
        try KeyRotation(vault: vault, access: access, keys: keys, target: target, old: old).run()
    }

    /// Makes a wrapping key of the first passphrase at hand that this store does not know.
    public func registerPassphrase() throws(RepositoryFailure) -> KeyID { try vault.registerPassphrase() }

    /// The wrapping keys at hand, in the order they were given; passphrases once the store has a record of them.
    public func heldKeys() throws(RepositoryFailure) -> [KeyID] {
        for id in try vault.passphraseIDs() { _ = try vault.wrappingKey(id) }
        return options.keyring.ids
    }

    /// The way to a snapshot's content: its manifest is authenticated, and its data key at hand.
    func access(for manifest: Manifest) throws(RepositoryFailure) -> PackAccess {
        guard let id = manifest.plan.dataKey else { return access }
        let cipher = try vault.cipher(id)
        guard let seal = manifest.seal, cipher.mac(of: seal.sum) == seal.mac else {
            throw .corrupt(
                object: keys.manifest(manifest.plan.id), blocks: nil,
                reason: "the manifest was changed by someone without its key")
        }
        return access.opened(with: cipher)
    }
}

/// A data key's name, and which wrapping keys open it.
public struct DataKey: Equatable, Sendable {
    /// Its name.
    public var id: DataKeyID
    /// The wrapping keys, of which one is enough.
    public var wrappedBy: [KeyID]
}
