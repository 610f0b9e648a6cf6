internal import Blocks
internal import Catalog

/// How much of something an account may have.
public struct QuotaView: Codable, Equatable, Sendable {
    /// Its name.
    public var quota: Quota
    /// What holds.
    public var value: Int
    /// What would hold if nothing had been set.
    public var standard: Int
}

/// The verbs on quotas, which hold for an account in one region. Every error is a ``ServiceError``.
public struct QuotaService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// An account's: one's own, or any for whoever runs the house.
    public func list(of account: String? = nil) async throws -> [QuotaView] {
        try await ServiceError.about(.account) {
            let account = try await house.account(account, for: caller)
            let known = try await house.catalog.change { try $0.quotas(of: account) }
            return Quota.allCases.map { quota in
                QuotaView(quota: quota, value: known[quota.rawValue] ?? quota.standard, standard: quota.standard)
            }
        }
    }

    /// The same, by the quota's name.
    public func set(named name: String, to value: Int?, of account: String? = nil) async throws -> [QuotaView] {
        try await ServiceError.about(.account) {
            try caller.mustRunHouse(.account)
            guard let quota = Quota(rawValue: name) else {
                let known = Quota.allCases.map(\.rawValue).joined(separator: ", ")
                throw ServiceError(.missing, .account, "there is no quota \(name.quotable); there are \(known)")
            }
            return try await set(quota, to: value, of: account)
        }
    }

    /// Sets one of an account, or with nil takes back what was set. What an account has already stays.
    public func set(_ quota: Quota, to value: Int?, of account: String? = nil) async throws -> [QuotaView] {
        try await ServiceError.about(.account) {
            try caller.mustRunHouse(.account)
            let account = try await house.account(account, for: caller)
            Deed.note(account)
            if let value, !(0...quota.highest).contains(value) {
                throw ServiceError(
                    .invalid, .account, "the quota \(quota.rawValue) is \(value): 0 to \(quota.highest) are allowed")
            }
            try await house.catalog.change { try $0.setQuota(quota.rawValue, to: value, of: account) }
            return try await list(of: account)
        }
    }
}
