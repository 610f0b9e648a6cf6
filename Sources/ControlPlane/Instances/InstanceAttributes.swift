internal import Catalog

/// What an instance's owner settled about it, beside its state.
public struct InstanceAttributes: Equatable, Sendable {
    /// Is it protected from being stopped?
    public var isKeptRunning = false
    /// Is it terminated, rather than stopped, when its system shuts down? The owner's host has to see to that.
    public var endsOnShutdown = false
    /// What its owner wants it to find when it starts, in base64; nil: nothing.
    public var userData: String?

    /// The usual.
    public init() {}
}

/// How an instance is to change; nil: as it is.
public struct InstanceChange: Equatable, Sendable {
    /// Its type, as its owner calls it.
    public var kind: String?
    /// Protected from being terminated?
    public var isKept: Bool?
    /// Protected from being stopped?
    public var isKeptRunning: Bool?
    /// Terminated when its system shuts down?
    public var endsOnShutdown: Bool?
    /// What it finds when it starts; empty: nothing.
    public var userData: String?
    /// Whether the disks under these names go when it is terminated.
    public var goesWithInstance: [String: Bool] = [:]

    /// Changes nothing.
    public init() {}
}

extension InstanceService {
    /// What is settled about one instance.
    public func attributes(of id: String) async throws -> InstanceAttributes {
        try await ServiceError.about(.instance) {
            _ = try await record(id)
            return InstanceAttributes(try await house.catalog.change { try $0.settings(ofInstance: id) })
        }
    }

    /// Changes what is named, all of it or nothing.
    public func change(_ id: String, _ change: InstanceChange) async throws {
        try await ServiceError.about(.instance) {
            try caller.mayChange(.instance)
            _ = try await record(id)
            try Limits.check(name: change.kind, .instance)
            try Self.check(userData: change.userData)
            let devices = try change.goesWithInstance.map { (device: try DeviceName($0.key), goes: $0.value) }
            // In the instance's lane: whoever changes its state writes the whole record, as it was when they read it.
            try await house.lanes.run(id) {
                try await house.catalog.change { session in
                    guard var record = try session.instance(id) else { throw Self.noInstance(id) }
                    guard record.state != .terminated else { throw Self.ended(id) }
                    record.kind = change.kind ?? record.kind
                    record.isKept = change.isKept ?? record.isKept
                    try session.update(record)
                    var settings = try session.settings(ofInstance: id)
                    settings.isKeptRunning = change.isKeptRunning ?? settings.isKeptRunning
                    settings.endsOnShutdown = change.endsOnShutdown ?? settings.endsOnShutdown
                    if let data = change.userData { settings.userData = data.isEmpty ? nil : data }
                    try session.set(settings, ofInstance: id)
                    for (device, goes) in devices { try Self.set(goes, of: device, on: id, session) }
                }
            }
            house.announce(id)
        }
    }

    private static func set(_ goes: Bool, of device: DeviceName, on id: String, _ session: CatalogSession) throws {
        let disk = try session.volumeAttachments(to: id).first { try $0.device.map { try DeviceName($0) } == device }
        guard let disk else {
            throw ServiceError(.missing, .attachment, "the instance \(id) has no disk \(device.text)")
        }
        try session.setGoesWithInstance(goes, volume: disk.objectID, on: id)
    }

    static func check(userData: String?) throws {
        guard let userData else { return }
        let isText = userData.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
                true
            default: false
            }
        }
        guard isText, userData.utf8.count <= Limits.userDataMax else {
            throw ServiceError(
                .invalid, .instance,
                "the user data must be base64 of at most 16 KiB; it has \(userData.utf8.count) characters")
        }
    }
}

extension InstanceView {
    /// The names under which hosts have the disk they start from.
    private static let bootDevices = ["/dev/sda1", "/dev/xvda", "/dev/sda"]

    /// The name of the disk it starts from, as far as names tell; nil: it has none such.
    public var rootDevice: String? {
        Self.bootDevices.first { name in disks.contains { $0.device == name } }
    }
}

extension InstanceAttributes {
    init(_ record: InstanceSettingsRecord) {
        isKeptRunning = record.isKeptRunning
        endsOnShutdown = record.endsOnShutdown
        userData = record.userData
    }

    var record: InstanceSettingsRecord {
        var record = InstanceSettingsRecord()
        record.isKeptRunning = isKeptRunning
        record.endsOnShutdown = endsOnShutdown
        record.userData = userData
        return record
    }
}
