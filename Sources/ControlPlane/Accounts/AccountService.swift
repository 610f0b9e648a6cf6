internal import Blocks
internal import Catalog

/// The verbs on accounts and their access keys. Every error is a ``ServiceError``.
public struct AccountService: Sendable {
    /// The first region's, which has the accounts and their keys.
    let house: Household
    /// That of the region asked, which has what an account settled for it.
    let here: Household
    let caller: Caller

    init(_ house: Household, here: Household, _ caller: Caller) {
        self.house = house
        self.here = here
        self.caller = caller
    }

    /// Changes of accounts and keys run one after another, so that catalog and rack never tell different things for long.
    private static let lane = "accounts"

    // MARK: Accounts

    /// Every account for whoever runs the house; for others their own.
    public func list() async throws -> [AccountView] {
        try await ServiceError.about(.account) {
            let caller = caller
            let records = try await house.catalog.change { try $0.accounts() }
            return records.filter { caller.mayRunHouse || $0.id == caller.account }.map(AccountView.init)
        }
    }

    /// Makes an account, which owns nothing and has no key yet.
    public func create(named name: String) async throws -> AccountView {
        try await ServiceError.about(.account) {
            try caller.mustRunHouse(.account)
            try Limits.check(name: name, .account)
            let now = house.clock.now()
            let regions = RegionalAccounts(neighbours: house.neighbours)
            let record = try await house.lanes.run(Self.lane) {
                let new = try await house.catalog.change { try Self.newAccount(named: name, at: now, $0) }
                try await regions.add(new)
                try await house.catalog.change { try $0.insert(new) }
                return new
            }
            Deed.note(record.id)
            return AccountView(record)
        }
    }

    private static func newAccount(
        named name: String, at now: WallTime, _ session: CatalogSession
    ) throws -> AccountRecord {
        let known = try session.accounts()
        guard !known.contains(where: { $0.name == name }) else {
            throw ServiceError(.wrongState, .account, "there is an account named \(name.quotable) already")
        }
        guard known.count < Limits.accountsMax else {
            throw ServiceError(.limitExceeded, .account, "there are \(known.count) accounts: that is the most")
        }
        var id = newID()
        while known.contains(where: { $0.id == id }) { id = newID() }
        return AccountRecord(id: id, name: name, createdAt: now)
    }

    /// Twelve digits that begin with none of the first account's.
    private static func newID() -> String {
        var random = SystemRandomNumberGenerator()
        return String(Int.random(in: 200_000_000_000...999_999_999_999, using: &random))
    }

    /// Deletes an account and its keys. Refused while it owns anything, and for the first one.
    public func delete(_ id: String) async throws {
        try await ServiceError.about(.account) {
            try caller.mustRunHouse(.account)
            Deed.note(id.quotable)
            guard id != AccountRecord.first else {
                throw ServiceError(.inUse, .account, "the account \(id) is the house's own and stays")
            }
            try await house.lanes.run(Self.lane) {
                let regions = RegionalAccounts(neighbours: house.neighbours)
                let account = try await house.catalog.change { try Self.idle(id, $0) }
                try await regions.check(account)
                try await house.catalog.change { try $0.set(RegionalAccounts.goingSetting, to: id) }
                Failpoint.hit("account.going")
                do {
                    try await regions.remove(account)
                    Failpoint.hit("account.removed")
                    let keys = try await house.catalog.change { session in
                        // Again: it may have made something here meanwhile.
                        _ = try Self.idle(id, session)
                        let keys = try session.accessKeys(of: id)
                        try session.deleteAccount(id)
                        try session.set(RegionalAccounts.goingSetting, to: "")
                        return keys
                    }
                    for key in keys { house.keyRack.remove(key.id) }
                } catch {
                    // What cannot be done now, the next start does.
                    try? await regions.add(account)
                    try? await house.catalog.change { try $0.set(RegionalAccounts.goingSetting, to: "") }
                    throw error
                }
            }
        }
    }

    /// An account that owns nothing in the first region.
    private static func idle(_ id: String, _ session: CatalogSession) throws -> AccountRecord {
        guard let account = try session.account(id) else { throw noAccount(id) }
        guard try !session.ownsAnything(id) else {
            throw ServiceError(
                .inUse, .account,
                "the account \(id) still owns volumes, snapshots or instances, in use or in its bin: delete them first")
        }
        return account
    }

    // MARK: Keys

    /// An account's keys: the caller's own account, or any for whoever runs the house.
    public func keys(of account: String? = nil) async throws -> [AccessKeyView] {
        try await ServiceError.about(.account) {
            let account = try await reachable(account, leavesEvent: false)
            return try await house.catalog.change { try $0.accessKeys(of: account) }.map { AccessKeyView($0) }
        }
    }

    /// Makes a key. Its secret is in the answer and never again.
    public func createKey(
        for principal: String, role: Caller.Role, in account: String? = nil
    ) async throws -> AccessKeyView {
        try await ServiceError.about(.account) {
            try Limits.check(name: principal, .account)
            return try await house.lanes.run(Self.lane) {
                try await makeKey(principal, role, reachable(account, verb: "createKey"))
            }
        }
    }

    private func makeKey(
        _ principal: String, _ role: Caller.Role, _ account: String
    ) async throws -> AccessKeyView {
        let new = RootCredentials.random()
        Deed.note(new.accessKeyID)
        let record = AccessKeyRecord(
            id: new.accessKeyID, account: account, principal: principal, role: role.recorded,
            sealedSecret: house.keyRack.seal(new.secretAccessKey, of: new.accessKeyID), createdAt: house.clock.now())
        try await house.catalog.change { session in
            guard try session.accessKeys(of: account).count < Limits.accessKeysMax else {
                throw ServiceError(
                    .limitExceeded, .account,
                    "the account \(account) has \(Limits.accessKeysMax) keys: delete one first")
            }
            try session.insert(record)
        }
        try house.keyRack.hang(record)
        var view = AccessKeyView(record)
        view.secretAccessKey = new.secretAccessKey
        return view
    }

    /// Accepts a key again, or not for now.
    public func setActive(_ isActive: Bool, key id: String) async throws -> AccessKeyView {
        try await ServiceError.about(.account) {
            try await house.lanes.run(Self.lane) {
                var record = try await keyRecord(id, verb: "setActive")
                // First whether it can be opened at all.
                if isActive { try house.keyRack.check(record) }
                try await house.catalog.change { session in _ = try session.setActive(isActive, accessKey: id) }
                record.isActive = isActive
                if isActive { try house.keyRack.hang(record) } else { house.keyRack.remove(id) }
                return AccessKeyView(record)
            }
        }
    }

    /// Deletes a key. What was begun with it goes on.
    public func deleteKey(_ id: String) async throws {
        try await ServiceError.about(.account) {
            try await house.lanes.run(Self.lane) {
                _ = try await keyRecord(id, verb: "deleteKey")
                try await house.catalog.change { try $0.deleteAccessKey(id) }
                house.keyRack.remove(id)
            }
        }
    }

    // MARK: Who may

    /// The account whose keys the caller asks for: their own as its administrator, or any that there is.
    private func reachable(
        _ account: String?, leavesEvent: Bool = true, verb: String = #function
    ) async throws -> String {
        try caller.mayAdminister(.account, leavesEvent: leavesEvent, verb: verb)
        guard let account, account != caller.account else { return caller.account }
        let isThere = try await house.catalog.change { try $0.account(account) } != nil
        guard caller.mayRunHouse, isThere else { throw Self.noAccount(account) }
        return account
    }

    private func keyRecord(_ id: String, verb: String) async throws -> AccessKeyRecord {
        try caller.mayAdminister(.account, verb: verb)
        Deed.note(id.quotable)
        let record = try await house.catalog.change { try $0.accessKey(id) }
        guard let record, record.account == caller.account || caller.mayRunHouse else { throw Self.noKey(id) }
        return record
    }

    private static func noAccount(_ id: String) -> ServiceError {
        ServiceError(.missing, .account, "there is no account \(id.quotable)")
    }
    private static func noKey(_ id: String) -> ServiceError {
        ServiceError(.missing, .account, "there is no access key \(id.quotable)")
    }
}

extension AccountView {
    init(_ record: AccountRecord) {
        self.init(
            id: record.id, name: record.name, createdAt: record.id == AccountRecord.first ? nil : record.createdAt)
    }
}

extension AccessKeyView {
    init(_ record: AccessKeyRecord) {
        self.init(
            id: record.id, accountId: record.account, principal: record.principal, role: Caller.Role(record.role),
            isActive: record.isActive, createdAt: record.createdAt)
    }
}
