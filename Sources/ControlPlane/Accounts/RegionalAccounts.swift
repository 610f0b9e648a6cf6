internal import Catalog

/// Keeps the list of accounts in every region's catalog, where what belongs to an account refers to it. The first region's is
/// the true one; access keys are in that alone.
///
/// An account is made in the other regions first and in the true list last, so that nobody can be given a key before all know
/// them; it goes from the others first, each of which refuses as long as something is owned there, and from the true list
/// last. That it is to go is in the true list's catalog before anything goes: after a crash in between ``align()`` finishes it at the
/// next start, unless it owns something by then. Other differences it brings up to the true list; a refusal does so at once.
struct RegionalAccounts: Sendable {
    let neighbours: Neighbours

    private var others: ArraySlice<Household> { neighbours.all.dropFirst() }

    /// In the other regions: the account is there.
    func add(_ account: AccountRecord) async throws {
        for house in others {
            try await house.catalog.change { session in
                guard try session.account(account.id) == nil else { return }
                try Self.free(account, session)
                try session.insert(account)
            }
        }
    }

    /// In the other regions: it is gone; nothing can be made in its name from here on.
    ///
    /// - Throws: ``ServiceError`` `inUse` when it owns something in one by now.
    func remove(_ account: AccountRecord) async throws {
        for house in others {
            try await house.catalog.change { session in
                try Self.check(account, in: house.region, session)
                try session.deleteAccount(account.id)
            }
        }
    }

    /// In the other regions: it owns nothing. To be asked before anything goes: with the account go its settings, policies and
    /// rules, which no refusal brings back.
    func check(_ account: AccountRecord) async throws {
        for house in others { try await house.catalog.change { try Self.check(account, in: house.region, $0) } }
    }

    private static func check(_ account: AccountRecord, in region: Region, _ session: CatalogSession) throws {
        guard try !session.ownsAnything(account.id) else {
            throw ServiceError(
                .inUse, .account,
                "the account \(account.id) still owns volumes, snapshots or instances in \(region.name), in use or in its "
                    + "bin: delete them first")
        }
    }

    /// At the start: brings every list up to the true one. An account that owns something somewhere and is in no true list (a
    /// region that was recovered from its store alone) is taken up into that, so that its owner can be given a key.
    func align() async throws {
        guard let first = neighbours.first else { return }
        try await finishDeletion(in: first)
        for house in others {
            let (known, owning) = try await house.catalog.change { session in
                let known = try session.accounts()
                return (known, try known.filter { try session.ownsAnything($0.id) })
            }
            let trueOnes = try await first.catalog.change { session in
                for lost in owning where try session.account(lost.id) == nil {
                    var adopted = lost
                    let names = Set(try session.accounts().map(\.name))
                    if names.contains(adopted.name) { adopted.name = "\(lost.name) \(lost.id)" }
                    try session.insert(adopted)
                }
                return try session.accounts()
            }
            let ids = Set(trueOnes.map(\.id))
            try await house.catalog.change { session in
                for gone in known where !ids.contains(gone.id) { try session.deleteAccount(gone.id) }
                // One that was adopted under another name has that everywhere; ids are names that nobody else has meanwhile.
                let renamed = trueOnes.filter { one in known.contains { $0.id == one.id && $0.name != one.name } }
                for account in renamed { try session.rename(account: account.id, to: account.id) }
                for account in renamed { try session.rename(account: account.id, to: account.name) }
            }
        }
        for account in try await first.catalog.change({ try $0.accounts() }) { try await add(account) }
    }

    /// The setting that names an account whose deletion was begun.
    static let goingSetting = "account-going"

    private func finishDeletion(in first: Household) async throws {
        guard let id = try await first.catalog.change({ try $0.setting(Self.goingSetting) }), !id.isEmpty else {
            return
        }
        var owns = false
        for house in neighbours.all { owns = try await house.catalog.change { try $0.ownsAnything(id) } || owns }
        if !owns {
            for house in others { try await house.catalog.change { try $0.deleteAccount(id) } }
        }
        try await first.catalog.change { [owns] session in
            if !owns { try session.deleteAccount(id) }
            try session.set(Self.goingSetting, to: "")
        }
    }

    /// Nobody else may have its name: a leftover of a crash gives way.
    private static func free(_ account: AccountRecord, _ session: CatalogSession) throws {
        for other in try session.accounts() where other.name == account.name && other.id != account.id {
            guard try !session.ownsAnything(other.id) else {
                throw ServiceError(
                    .wrongState, .account, "there is an account named \(account.name.quotable) already: \(other.id)")
            }
            try session.deleteAccount(other.id)
        }
    }
}
