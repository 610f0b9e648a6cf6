internal import ControlPlane

/// `--region NAME` and `--region NAME=STORE`.
enum RegionOption {
    /// The first is the data directory's own region, whose store `--store` names as well; the others are beside it.
    static func read(_ texts: [String], into plan: inout HousePlan) throws {
        for (index, text) in texts.enumerated() {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first, isName(name) else {
                throw CommandFailure.usage(
                    "the region '\(text)' is not NAME or NAME=STORE, such as us-west-2 or us-west-2=dir:///mnt/west")
            }
            let store = try parts.count > 1 ? Places.store(parts[1]) : nil
            if index > 0 {
                plan.moreRegions.append(RegionPlan(region: Region(name: name), store: store))
                continue
            }
            guard store == nil || plan.store == nil else {
                throw CommandFailure.usage("the store of \(name) is given twice: with --store and with --region")
            }
            plan.region = Region(name: name)
            plan.store = store ?? plan.store
        }
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d }
    }
}
