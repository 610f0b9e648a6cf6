internal import Blocks
internal import Catalog
internal import Repository

/// The access keys that are accepted, in memory: a request's signature is checked without asking the catalog.
///
/// Every change goes through the catalog first, so a crash between the two only means that the next start reads it.
final class KeyRack: Sendable {
    struct Holder: Sendable {
        var secret: String
        var caller: Caller
    }
    private let holders = Guarded<[String: Holder]>([:])
    private let box: SecretBox

    init(_ box: SecretBox, root: RootCredentials) {
        self.box = box
        holders.withLock { $0[root.accessKeyID] = Holder(secret: root.secretAccessKey, caller: .root) }
    }

    /// Takes up what the catalog has. Blocks briefly for each.
    func load(_ records: [AccessKeyRecord]) throws {
        for record in records where record.isActive { try hang(record) }
    }

    /// Accepts a key.
    func hang(_ record: AccessKeyRecord) throws {
        guard let secret = box.open(record.sealedSecret, for: record.id) else {
            throw ServiceError(
                .corrupt, .account,
                "the access key \(record.id) cannot be opened with the house's sealing-key: bring that file back, or delete the key"
            )
        }
        let caller = Caller(
            account: record.account, principal: record.principal, role: Caller.Role(record.role))
        holders.withLock { $0[record.id] = Holder(secret: secret, caller: caller) }
    }

    /// Accepts it no more.
    func remove(_ id: String) { holders.withLock { $0[id] = nil } }

    func seal(_ secret: String, of id: String) -> String { box.seal(secret, for: id) }

    subscript(_ id: String) -> Holder? { holders.withLock { $0[id] } }
}
