internal import Catalog

/// Whose tags on an object are meant: its owner's, or those of an account with which it is shared. Neither sees the other's, and
/// only the owner's count for policies and for the bin.
enum TagHolder {
    case owner
    case sharee(String)

    /// Whose tags `caller` writes on an object: it is their own (there or in the bin), or they may use it; else it is missing.
    ///
    /// Asked in the transaction that writes, so that what is deleted, and what is shared no more, gets no tags afterwards, and
    /// nothing of such a request is done.
    init(
        of caller: Caller, on object: String, _ kind: TagRules.Kind, in house: Household, _ session: CatalogSession
    ) throws {
        switch kind {
        case .volume:
            guard try house.keptVolume(object, for: caller, session) != nil else { throw Household.noVolume(object) }
            self = .owner
        case .group:
            // It is there as long as a snapshot of it is.
            guard
                try session.snapshots(ofGroup: object).contains(where: { $0.account == caller.account && $0.isPresent })
            else { throw SnapshotService.noGroup(object) }
            self = .owner
        case .instance:
            guard try session.instance(object)?.account == caller.account else {
                throw InstanceService.noInstance(object)
            }
            self = .owner
        case .policy:
            guard try session.policy(object)?.account == caller.account else { throw PolicyService.noPolicy(object) }
            self = .owner
        case .snapshot:
            if try house.keptSnapshot(object, for: caller, session) != nil {
                self = .owner
            } else if let others = try session.snapshot(object), others.isPresent,
                try Household.mayUse(others, caller, session)
            {
                self = .sharee(caller.account)
            } else {
                throw Household.noSnapshot(object)
            }
        case .image:
            if try house.keptImage(object, for: caller, session) != nil {
                self = .owner
            } else if try Household.usableImage(object, caller, session) != nil {
                self = .sharee(caller.account)
            } else {
                throw Household.noImage(object)
            }
        }
    }

    func tags(of object: String, _ session: CatalogSession) throws -> [String: String] {
        switch self {
        case .owner: try session.tags(of: object)
        case .sharee(let account): try session.shareeTags(of: object, by: account)
        }
    }

    func set(_ key: String, to value: String, on object: String, _ session: CatalogSession) throws {
        switch self {
        case .owner: try session.setTag(key, to: value, on: object)
        case .sharee(let account): try session.setShareeTag(key, to: value, on: object, by: account)
        }
    }

    func remove(_ key: String, value: String?, from object: String, _ session: CatalogSession) throws {
        switch self {
        case .owner: try session.removeTag(key, value: value, from: object)
        case .sharee(let account): try session.removeShareeTag(key, value: value, from: object, by: account)
        }
    }
}
