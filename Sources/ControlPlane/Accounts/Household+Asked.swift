internal import Catalog

extension Household {
    /// Whose things are asked for: the caller's own account's, or any account's that is there for whoever runs the house.
    func account(_ asked: String?, for caller: Caller) async throws -> String {
        guard let asked, asked != caller.account else { return caller.account }
        let isThere = try await catalog.change { try $0.account(asked) } != nil
        guard caller.mayRunHouse, isThere else {
            throw ServiceError(.missing, .account, "there is no account \(asked.quotable)")
        }
        return asked
    }
}

extension CatalogSession {
    /// In the transaction that makes something of an account's: refuses if the account was deleted meanwhile.
    func mustHave(account id: String) throws {
        guard try account(id) != nil else { throw ServiceError(.missing, .account, "the account \(id) was deleted") }
    }
}
