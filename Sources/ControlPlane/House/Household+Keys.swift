internal import Blocks
internal import Catalog
internal import Repository

extension Household {
    /// The key that new encrypted volumes get if none is asked for, once a rotation chose one.
    static let defaultKeySetting = "default-key"

    /// Makes a data key for a new lineage. It is in the store before anything needs it; if the volume is never made, a
    /// few hundred bytes are left there.
    func newDataKey(_ wanted: VolumeEncryption) async throws -> KeyRecord {
        let asked = try wanted.key.map(Self.keyID)
        // A rotation that has begun is not to miss it: it comes before, or gets the key that this chose.
        return try await lanes.run(RotateKeys.lane) {
            let chosen = try await catalog.change { try $0.setting(Self.defaultKeySetting) }.flatMap { KeyID($0) }
            return try await makeDataKey(asked, chosen)
        }
    }

    private func makeDataKey(_ asked: KeyID?, _ chosen: KeyID?) async throws -> KeyRecord {
        try await remote.run { [door] in
            let repository = try door.repository()
            var key = asked
            if key == nil, let chosen, try repository.holds(chosen) { key = chosen }
            let made = try repository.makeDataKey(wrappedBy: key)
            return KeyRecord(id: made.id.text, keyID: made.wrappedBy.last?.description ?? "")
        }
    }

    /// Refuses what cannot be done without a key that is not here; nothing is half done then.
    func requireKey(_ dataKey: String?) async throws {
        guard let dataKey else { return }
        try await remote.run { [door] in try door.repository().open(StoreDoor.dataKey(dataKey)) }
    }

    /// A wrapping key's name as people write it.
    static func keyID(_ text: String) throws -> KeyID {
        guard let id = KeyID(text) else {
            throw ServiceError(
                .invalid, .store,
                "\"\(text.quotable)\" is no key id: it looks like arn:aws:kms:local:000000000000:key/"
                    + "01234567-89ab-cdef-0123-456789abcdef, or the part after the slash")
        }
        return id
    }
}
