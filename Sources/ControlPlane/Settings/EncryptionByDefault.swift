internal import Catalog
internal import Repository

/// How an account's new volumes are encrypted. The JSON of the native API has exactly these names.
public struct EncryptionByDefault: Codable, Equatable, Sendable {
    /// Are new volumes encrypted although nobody asks for it: empty ones, and those made of unencrypted snapshots?
    public var isOn: Bool
    /// The wrapping key of those for which none is named; nil: the house's.
    public var keyId: String?

    /// Makes one.
    public init(isOn: Bool = false, keyId: String? = nil) {
        self.isOn = isOn
        self.keyId = keyId
    }
}

extension AccountService {
    /// How the account's new volumes are encrypted.
    public func encryptionByDefault() async throws -> EncryptionByDefault {
        try await ServiceError.about(.account) { try await here.encryptionByDefault(of: caller.account) }
    }

    /// Settles whether they are encrypted without being asked for. Volumes that there are stay as they are. Refused while there
    /// is no key: no volume could be made.
    public func set(encryptsByDefault isOn: Bool) async throws -> EncryptionByDefault {
        try await ServiceError.about(.account) {
            try caller.mayAdminister(.account)
            if isOn { try await here.checkHasKey() }
            return try await change { $0.isOn = isOn }
        }
    }

    /// Settles with which wrapping key they are encrypted if none is named; nil: with the house's.
    public func set(defaultKey key: String?) async throws -> EncryptionByDefault {
        try await ServiceError.about(.account) {
            try caller.mayAdminister(.account)
            let known = try await here.heldKey(key)
            return try await change { $0.keyId = known }
        }
    }

    private func change(
        _ body: @escaping @Sendable (inout EncryptionByDefault) -> Void
    ) async throws -> EncryptionByDefault {
        try await here.catalog.change { [caller] session in
            var settled = try EncryptionByDefault(session, caller.account)
            body(&settled)
            try settled.write(session, caller.account)
            return settled
        }
    }
}

extension EncryptionByDefault {
    private static let onSetting = "encryption-by-default"
    private static let keySetting = "encryption-key"
    private static let on = "on", off = "off"

    init(_ session: CatalogSession, _ account: String) throws {
        let key = try session.setting(Self.keySetting, of: account)
        self.init(
            isOn: try session.setting(Self.onSetting, of: account) == Self.on, keyId: key?.isEmpty == false ? key : nil)
    }

    func write(_ session: CatalogSession, _ account: String) throws {
        try session.set(Self.onSetting, of: account, to: isOn ? Self.on : Self.off)
        try session.set(Self.keySetting, of: account, to: keyId ?? "")
    }
}

extension Household {
    func encryptionByDefault(of account: String) async throws -> EncryptionByDefault {
        try await catalog.change { try EncryptionByDefault($0, account) }
    }

    /// How a new volume with a key of its own is encrypted for which that is asked: the account's settings fill in what is not said.
    func encryption(_ asked: VolumeEncryption?, of account: String) async throws -> VolumeEncryption? {
        if let asked, asked.key != nil { return asked }
        let settled = try await encryptionByDefault(of: account)
        guard asked != nil || settled.isOn else { return nil }
        return VolumeEncryption(key: settled.keyId)
    }

    fileprivate func checkHasKey() async throws {
        let isThere = try await remote.run { [door] in try !door.repository().heldKeys().isEmpty }
        guard isThere else {
            throw ServiceError(
                .wrongState, .account, "there is no key to encrypt with: serve with --key-file or --passphrase-file")
        }
    }

    /// A wrapping key's full name, if it is one that is here.
    fileprivate func heldKey(_ text: String?) async throws -> String? {
        guard let text else { return nil }
        let id = try Self.keyID(text)
        guard try await remote.run({ [door] in try door.repository().holds(id) }) else {
            throw ServiceError(
                .invalid, .store, "the key \(text.quotable) is not here: name one that the server was given")
        }
        return id.description
    }
}
