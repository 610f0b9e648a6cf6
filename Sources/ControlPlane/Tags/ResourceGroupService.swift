internal import Catalog

/// The verbs on resource groups: names under which an account gathers its objects, each in one at most. Nobody makes one: it is
/// there as soon as something is in it. Every error is a ``ServiceError``.
public struct ResourceGroupService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    private static let nameMax = 64

    /// Those of the account's objects that are in one, by object.
    public func all() async throws -> [String: String] {
        try await ServiceError.about(.tag) {
            try await house.catalog.change { [caller] in try $0.resourceGroups(ofAllOf: caller.account) }
        }
    }

    /// Puts an object of the account into another group; nil: into none. Refused where it is there already.
    public func move(_ object: String, to group: String?) async throws {
        try await ServiceError.about(.tag) {
            try caller.mayChange(.tag)
            try Self.check(group)
            let kind = try TagRules.Kind(of: object)
            try await house.catalog.change { [house, caller] session in
                guard case .owner = try TagHolder(of: caller, on: object, kind, in: house, session) else {
                    throw ServiceError(.missing, .tag, "\(object) is another account's")
                }
                guard try session.resourceGroup(of: object) != group else {
                    throw ServiceError(.inUse, .tag, "\(object) is in that resource group already")
                }
                try session.place(object, of: caller.account, in: group)
            }
            house.announce(object)
        }
    }

    /// Refuses what cannot be a group's name.
    static func check(_ group: String?) throws {
        guard let group else { return }
        let isName =
            (1...nameMax).contains(group.utf8.count)
            && group.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        guard isName else {
            throw ServiceError(
                .invalid, .tag,
                "\"\(group.quotable)\" is no resource group's name: it has 1 to \(nameMax) small letters, digits and -")
        }
    }
}
