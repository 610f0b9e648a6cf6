internal import Blocks
internal import Catalog

/// Opens every region of a data directory: the first one, whose catalog says which others there are, and these.
///
/// A region that was served once is served at every start, named or not: an account must not be deleted while it owns something
/// in a region that nobody looks at, and a copy must find its source. The first one keeps its name, since zones are called
/// after it.
///
/// 1. Lock and open the first; learn the regions; remember the new ones, before anything is made for them.
/// 2. Lock and open the others.
/// 3. Bring the accounts together (``RegionalAccounts``).
/// 4. Put each into service (``OpenHouse``); then begin what goes from one to another.
/// Each step may run twice; a crash between two only means to open again.
struct OpenRegions: Sendable {
    let plan: HousePlan
    let exports: any ExportBoard

    /// - Returns: the households, the first region's first.
    func run() async throws -> [Household] {
        var opened: [Household] = []
        do {
            let neighbours = Neighbours()
            let first = try await OpenHouse.prepare(plan, exports, neighbours)
            opened.append(first)
            neighbours.add(first)
            for more in try await regions(of: first) {
                let part = plan.inRegion(more)
                let house = try await Self.about(more.region) { try await OpenHouse.prepare(part, exports, neighbours) }
                opened.append(house)
                neighbours.add(house)
            }
            if opened.count > 1 { try await RegionalAccounts(neighbours: neighbours).align() }
            for house in opened {
                try await Self.about(house === first ? nil : house.region) { try await OpenHouse(house: house).run() }
            }
            for house in opened {
                try await Self.about(house === first ? nil : house.region) { try await OpenHouse(house: house).begin() }
            }
            return opened
        } catch {
            for house in opened.reversed() { await house.close() }
            throw error
        }
    }

    /// The settings that say which regions there are.
    private static let ownSetting = "region", othersSetting = "regions"

    /// The others: those that are asked for, then those of earlier starts.
    private func regions(of first: Household) async throws -> [RegionPlan] {
        for more in [first.region] + plan.moreRegions.map(\.region) where !Region.isName(more.name) {
            throw ServiceError(
                .invalid, .house,
                "\"\(more.name.quotable)\" is no name of a region: it has 1 to 64 of a-z, 0-9 and -, as in us-west-2")
        }
        let asked = plan.moreRegions
        let names = [first.region.name] + asked.map(\.region.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw ServiceError(.invalid, .house, "the region \(twice) is named twice")
        }
        let known = try await first.catalog.change { session in
            if let name = try session.setting(Self.ownSetting), name != names[0] {
                throw ServiceError(
                    .invalid, .house,
                    "this data directory's first region is \(name) and not \(names[0]): it keeps its name, and what is in it "
                        + "is called after it")
            }
            let known = try session.setting(Self.othersSetting)?.split(separator: " ").map(String.init) ?? []
            let new = asked.map(\.region.name).filter { !known.contains($0) }
            try session.set(Self.ownSetting, to: names[0])
            if !new.isEmpty { try session.set(Self.othersSetting, to: (known + new).joined(separator: " ")) }
            return known
        }
        return asked + known.filter { !names.contains($0) }.map { RegionPlan(region: Region(name: $0)) }
    }

    /// Says in which region something went wrong.
    private static func about<R>(_ region: Region?, _ body: () async throws -> R) async throws -> R {
        do { return try await body() } catch {
            guard let region else { throw error }
            let error = ServiceError.from(error, .house)
            throw ServiceError(
                error.code, error.noun, "the region \(region.name): \(error.message)", detail: error.detail,
                cause: error.cause)
        }
    }

    /// The region that a start means which names none: the one of earlier starts. Blocks.
    static func ownRegion(_ catalog: Catalog) throws -> Region {
        Region(name: try catalog.changeWaiting { try $0.setting(ownSetting) } ?? "us-east-1")
    }
}
