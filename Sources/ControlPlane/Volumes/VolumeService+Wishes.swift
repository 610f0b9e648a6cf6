internal import Catalog

/// What its owner wants of a volume; where nothing was said, the usual.
public struct VolumeWishes: Equatable, Sendable {
    /// Is it to be deleted with the next instance that it is put on? Nil: as is said then.
    public var goesWithInstance: Bool?
    /// Do policies leave it out?
    public var skipsPolicies = false
    /// Do the snapshots that policies took of it go with it? Those that are locked, or that an image needs, stay.
    public var takesPolicySnapshots = false

    /// The usual.
    public init() {}

    init(_ record: VolumeWishesRecord) {
        goesWithInstance = record.goesWithInstance
        skipsPolicies = record.skipsPolicies
        takesPolicySnapshots = record.takesPolicySnapshots
    }

    fileprivate var record: VolumeWishesRecord {
        var record = VolumeWishesRecord()
        record.goesWithInstance = goesWithInstance
        record.skipsPolicies = skipsPolicies
        record.takesPolicySnapshots = takesPolicySnapshots
        return record
    }
}

extension VolumeService {
    /// What is wanted of the account's volumes of which anything else than the usual is, by volume.
    public func wishes() async throws -> [String: VolumeWishes] {
        try await ServiceError.about(.volume) {
            try await house.catalog.change { [caller] in try $0.wishes(ofAllOf: caller.account) }
                .mapValues { VolumeWishes($0) }
        }
    }

    /// Changes what is wanted of a volume, in one transaction. Whether it goes with its instance is said of where it is, too.
    public func wish(
        of id: String, _ change: @escaping @Sendable (inout VolumeWishes) -> Void
    ) async throws {
        try await ServiceError.about(.volume) {
            try caller.mayChange(.volume)
            _ = try await house.volumeRecord(id, for: caller)
            try await house.catalog.change { session in
                guard try session.volume(id)?.isPresent == true else { throw Household.noVolume(id) }
                let before = VolumeWishes(try session.wishes(ofVolume: id))
                var wishes = before
                change(&wishes)
                try session.set(wishes.record, ofVolume: id)
                guard let goes = wishes.goesWithInstance, goes != before.goesWithInstance else { return }
                for one in try session.volumeAttachments(ofVolume: id) {
                    try session.setGoesWithInstance(goes, volume: id, on: one.host)
                }
            }
            house.announce(id)
        }
    }
}
