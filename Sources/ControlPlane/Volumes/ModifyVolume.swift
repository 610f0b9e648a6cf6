public import Blocks
internal import Catalog
internal import VolumeEngine

/// What of a volume is to change; nil: as it is.
public struct ModifyVolume: Sendable {
    /// A larger size.
    public var size: ByteCount?
    /// How fast it is to be.
    public var profile: VolumeProfile?
    /// May several instances have it at a time?
    public var isShared: Bool?
    /// So that it is changed once, however often it is asked for; nil: each request changes it.
    public var token: RequestToken?

    /// Makes a request.
    public init(size: ByteCount? = nil, profile: VolumeProfile? = nil, isShared: Bool? = nil) {
        self.isShared = isShared
        self.size = size
        self.profile = profile
    }
}

/// The last change of a volume. It holds at once, so there is nothing to wait for.
public struct VolumeModificationView: Codable, Equatable, Sendable {
    /// The volume.
    public var volumeId: String
    /// Its size before.
    public var oldSizeBytes: Int
    /// Its size since.
    public var newSizeBytes: Int
    /// How fast it was.
    public var oldProfile: VolumeProfile
    /// How fast it is since.
    public var newProfile: VolumeProfile
    /// Might several instances have it at a time?
    public var oldIsShared: Bool
    /// May they since?
    public var newIsShared: Bool
    /// When it was changed.
    public var startedAt: WallTime
}

extension VolumeService {
    /// Changes size, kind or speed, all of it or nothing. A volume only grows; attached clients see the new size when they
    /// reconnect.
    public func modify(_ id: String, _ request: ModifyVolume) async throws -> VolumeModificationView {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            if let size = request.size { try Limits.check(size: size) }
            let change = try await house.lanes.run(id) {
                if let used = try await used(request.token) {
                    let all = try await house.catalog.change { [caller] in try $0.modifications(of: caller.account) }
                    guard let known = all.first(where: { $0.volumeID == id }) else {
                        throw used.gone
                    }
                    return known
                }
                var record = try await usable(id)
                let volume = try house.live.open(id)
                var recorded = record.size, grown = record
                // Its files know: it may have grown in a change that could not be recorded.
                record.size = volume.size
                let before = ModificationRecord.Shape(record, size: volume.size)
                let isNewSize = request.size != nil || request.profile?.kind != record.kind
                try request.profile?.check(size: request.size ?? volume.size, isNewSize: isNewSize)
                if let size = request.size {
                    guard size >= volume.size else {
                        throw ServiceError(
                            .invalid, .volume,
                            "the size \(size.bytes) is less than the volume's \(volume.size.bytes) bytes: a volume can "
                                + "only grow")
                    }
                    record.size = size
                }
                if let profile = request.profile {
                    record.isPaced = true
                    record.kind = profile.kind
                    record.iops = profile.iops
                    record.throughput = profile.throughput
                }
                try SharedVolume.change(&record, to: request.isShared)
                let changed = record
                // Before its files grow, which cannot be undone.
                let now = house.clock.now()
                defer {
                    // What has grown and is not recorded counts as what it is until that is made up for.
                    grown.size = volume.size
                    if volume.size == recorded { house.promises.end(id) } else { house.promises.keep(grown) }
                }
                try await house.catalog.change { [house] session in
                    try SharedVolume.check(changed, session)
                    try Quota.check(changed, besides: house.promises, session)
                    try house.check(.modification, of: id, at: now, session)
                    house.promises.make(changed)
                }
                if changed.size > volume.size { try await house.local.run { try volume.grow(to: changed.size) } }
                Failpoint.hit("resize.grown")
                let change = ModificationRecord(
                    volumeID: id, old: before, new: ModificationRecord.Shape(changed, size: changed.size),
                    startedAt: house.clock.now())
                try await house.catalog.change { [house, caller] session in
                    try request.token?.take(
                        for: Self.modifyAction, by: caller.account, making: id, at: change.startedAt, session)
                    try house.note(.modification, of: id, at: change.startedAt, session)
                    try session.update(changed)
                    try session.put(change)
                }
                recorded = changed.size
                house.pace(of: changed)
                return change
            }
            house.announce(id)
            return VolumeModificationView(change)
        }
    }

    /// What tokens are for.
    private static let modifyAction = "modify-volume"

    private func used(_ token: RequestToken?) async throws -> RequestToken.Used? {
        guard let token else { return nil }
        return try await house.catalog.change { [caller] in
            try token.used(for: Self.modifyAction, by: caller.account, $0)
        }
    }

    /// Was a change asked for by that token, and made?
    public func isModified(by token: RequestToken) async throws -> Bool {
        try await ServiceError.about(.volume) {
            try await used(token) != nil
        }
    }

    /// The last change of each of the account's volumes that was ever changed.
    public func modifications() async throws -> [VolumeModificationView] {
        try await ServiceError.about(.volume) {
            try await house.catalog.change { [caller] in try $0.modifications(of: caller.account) }
                .map(VolumeModificationView.init)
        }
    }
}

extension ModificationRecord.Shape {
    init(_ record: VolumeRecord, size: ByteCount) {
        self.init(
            size: size, kind: record.kind, iops: record.iops, throughput: record.throughput, isShared: record.isShared)
    }

    /// What its kind makes of it at its size.
    var profile: VolumeProfile { VolumeProfile(named: kind, size: size, iops: iops, throughput: throughput) }
}

extension VolumeModificationView {
    init(_ record: ModificationRecord) {
        self.init(
            volumeId: record.volumeID, oldSizeBytes: record.old.size.bytes, newSizeBytes: record.new.size.bytes,
            oldProfile: record.old.profile, newProfile: record.new.profile, oldIsShared: record.old.isShared,
            newIsShared: record.new.isShared, startedAt: record.startedAt)
    }
}

extension VolumeProfile {
    /// As the kind of that name has it at this size; a name that is not known (any more) keeps what was recorded.
    init(named kind: String, size: ByteCount, iops: Int?, throughput: Int?) {
        self =
            VolumeKind.named(kind).map { VolumeProfile($0, size: size, iops: iops, throughput: throughput) }
            ?? VolumeProfile(kind: kind, iops: iops, throughput: throughput)
    }
}
