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

    /// Takes up what the catalog has. One that cannot be opened is not accepted, and is no reason not to serve.
    ///
    /// - Returns: those.
    func load(_ records: [AccessKeyRecord]) -> [AccessKeyRecord] {
        records.filter { record in
            guard record.isActive else { return false }
            do { try hang(record) } catch { return true }
            return false
        }
    }

    /// Accepts a key.
    func hang(_ record: AccessKeyRecord) throws {
        let secret = try secret(of: record)
        let caller = Caller(
            account: record.account, principal: record.principal, role: Caller.Role(record.role))
        holders.withLock { $0[record.id] = Holder(secret: secret, caller: caller) }
    }

    /// Can it be accepted?
    func check(_ record: AccessKeyRecord) throws { _ = try secret(of: record) }

    private func secret(of record: AccessKeyRecord) throws -> String {
        guard let secret = box.open(record.sealedSecret, for: record.id) else {
            throw ServiceError(
                .corrupt, .account,
                "the access key \(record.id) cannot be opened with the house's sealing-key: bring that file back and start again, or delete the key"
            )
        }
        return secret
    }

    /// Accepts it no more.
    func remove(_ id: String) { holders.withLock { $0[id] = nil } }

    func seal(_ secret: String, of id: String) -> String { box.seal(secret, for: id) }

    func unseal(_ sealed: String, of id: String) -> String? { box.open(sealed, for: id) }

    subscript(_ id: String) -> Holder? { holders.withLock { $0[id] } }
}
