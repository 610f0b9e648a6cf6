internal import Catalog

/// Whose tags on an object are meant: its owner's, or those of an account with which it is shared. Neither sees the other's, and
/// only the owner's count for policies and for the bin.
enum TagHolder {
    case owner
    case sharee(String)

    /// Whose tags `caller` writes on an object, if it is there (or in the bin) and they may use it; nil: it or that went.
    ///
    /// Asked in the transaction that writes, so that what is deleted, and what is shared no more, gets no tags afterwards.
    init?(of caller: Caller, on object: String, _ session: CatalogSession) throws {
        if let snapshot = try session.snapshot(object) {
            if snapshot.account == caller.account, !snapshot.isDeleted {
                self = .owner
            } else if snapshot.account != caller.account, snapshot.isPresent,
                try Household.mayUse(snapshot, caller, session)
            {
                self = .sharee(caller.account)
            } else {
                return nil
            }
        } else if let image = try session.image(object) {
            if image.account == caller.account, image.state != .deregistered {
                self = .owner
            } else if image.account != caller.account, try Household.usableImage(object, caller, session) != nil {
                self = .sharee(caller.account)
            } else {
                return nil
            }
        } else if try session.volume(object) != nil || session.instance(object) != nil || session.policy(object) != nil
        {
            self = .owner
        } else {
            return nil
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
