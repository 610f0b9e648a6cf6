/// One more region of a server: a house of its own in `<data>/regions/<name>`, with a repository of its own.
public struct RegionPlan: Sendable {
    /// Which.
    public var region: Region
    /// The directory of its object store or its URL; nil: the one it was last opened with (`store` in its directory at first).
    public var store: String?

    /// Makes one.
    public init(region: Region, store: String? = nil) {
        self.region = region
        self.store = store
    }
}

extension HousePlan {
    /// The same for a region beside the first one.
    func inRegion(_ more: RegionPlan) -> HousePlan {
        var plan = self
        plan.data = "\(data)/regions/\(more.region.name)"
        plan.region = more.region
        plan.store = more.store
        plan.moreRegions = []
        if let tell = onNotice {
            plan.onNotice = { notice in
                tell(HouseNotice(isTrouble: notice.isTrouble, text: "\(more.region.name): \(notice.text)"))
            }
        }
        return plan
    }
}
