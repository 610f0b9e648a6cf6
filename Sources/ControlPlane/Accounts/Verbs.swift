/// What can be asked of a house in one caller's name.
public struct Verbs: Sendable {
    /// The verbs on volumes.
    public let volumes: VolumeService
    /// The verbs on instances.
    public let instances: InstanceService
    /// The verbs on images.
    public let images: ImageService
    /// The verbs on snapshots.
    public let snapshots: SnapshotService
    /// The verbs on the store.
    public let store: StoreService
    /// The verbs on wrapping keys.
    public let keys: KeyService
    /// The verbs on long operations.
    public let tasks: TaskService
    /// The verbs on tags.
    public let tags: TagService
    /// The verbs on resource groups.
    public let resourceGroups: ResourceGroupService
    /// The verbs on policies.
    public let policies: PolicyService
    /// The verbs on accounts and access keys.
    public let accounts: AccountService
    /// The verbs on what is kept after it was deleted.
    public let bin: BinService
    /// The verbs on usage and prices.
    public let usage: UsageService
    /// The verbs on how much an account may have.
    public let quotas: QuotaService
    /// The verbs on what was done by whom.
    public let events: EventService

    init(_ house: Household, _ caller: Caller) {
        volumes = VolumeService(house, caller)
        instances = InstanceService(house, caller)
        images = ImageService(house, caller)
        snapshots = SnapshotService(house, caller)
        store = StoreService(house, caller)
        keys = KeyService(house, caller)
        tasks = TaskService(house, caller)
        tags = TagService(house, caller)
        resourceGroups = ResourceGroupService(house, caller)
        policies = PolicyService(house, caller)
        accounts = AccountService(house.head, here: house, caller)
        bin = BinService(house, caller)
        usage = UsageService(house, caller)
        quotas = QuotaService(house, caller)
        events = EventService(house, caller)
    }
}
