internal import Catalog

/// In whose name a verb is asked for.
public struct Caller: Sendable, Equatable {
    /// What a caller may do; each may do what those after it may.
    public enum Role: String, Codable, Sendable, CaseIterable {
        /// Everything in the account, its keys among it; in the first account, also what concerns the whole house.
        case administrator
        /// Everything but keys and accounts.
        case `operator`
        /// Looking.
        case reader
    }

    /// The account: twelve digits.
    public var account: String
    /// Who it is within the account.
    public var principal: String
    /// What they may do.
    public var role: Role

    /// Makes one.
    public init(account: String, principal: String, role: Role) {
        self.account = account
        self.principal = principal
        self.role = role
    }

    /// Whoever holds `<data>/root-credentials`, or the machine.
    public static let root = Caller(account: AccountRecord.first, principal: "root", role: .administrator)

    /// May they do what concerns all accounts: the store, its keys, the accounts themselves?
    var mayRunHouse: Bool { account == AccountRecord.first && role == .administrator }
}

extension Caller {
    /// Refuses those who may only look. Whoever asks this is about to change something, which leaves an event (``Deed``).
    ///
    /// - Parameter leavesEvent: false for what is a small part of something that does.
    func mayChange(_ noun: ServiceError.Noun, leavesEvent: Bool = true, verb: String = #function) throws {
        if leavesEvent { Deed.begin(noun, verb) }
        guard role == .reader else { return }
        throw ServiceError(
            .forbidden, noun, "the key of \(principal.quotable) is a reader's: it may look and change nothing")
    }

    /// Refuses those who may not give out keys. Leaves an event, unless it is to look only.
    func mayAdminister(_ noun: ServiceError.Noun, leavesEvent: Bool = true, verb: String = #function) throws {
        if leavesEvent { Deed.begin(noun, verb) }
        guard role != .administrator else { return }
        throw ServiceError(.forbidden, noun, "only an administrator's key of this account may do this")
    }

    /// Refuses those who may not see to the house. Leaves an event, unless it is to look only.
    func mustRunHouse(_ noun: ServiceError.Noun, leavesEvent: Bool = true, verb: String = #function) throws {
        if leavesEvent { Deed.begin(noun, verb) }
        guard !mayRunHouse else { return }
        throw ServiceError(
            .forbidden, noun, "this concerns all accounts: only an administrator's key of the first account may do it")
    }
}

extension Caller.Role {
    init(_ role: AccessKeyRecord.Role) {
        self =
            switch role {
            case .administrator: .administrator
            case .operator: .operator
            case .reader: .reader
            }
    }
    var recorded: AccessKeyRecord.Role {
        switch self {
        case .administrator: .administrator
        case .operator: .operator
        case .reader: .reader
        }
    }
}
