/// What space costs. Nothing costs anything until somebody says so.
///
/// ```
/// {"currency": "EUR", "regions": {"*": {"snapshot": 0.05, "volumes": {"gp3": 0.08, "*": 0.1}}}}
/// ```
public struct PriceTable: Codable, Equatable, Sendable {
    /// What a GiB-month costs in one region; a month has 730 hours.
    public struct Prices: Codable, Equatable, Sendable {
        /// Of what snapshots stored.
        public var snapshot: Double?
        /// Of what volumes are provisioned with, by the name of their kind; `*`: of any other kind.
        public var volumes: [String: Double]?

        /// Makes some.
        public init(snapshot: Double? = nil, volumes: [String: Double]? = nil) {
            self.snapshot = snapshot
            self.volumes = volumes
        }
    }

    /// In which money, for people.
    public var currency: String
    /// By the name of the region; `*`: of any other region.
    public var regions: [String: Prices]

    /// Makes a table.
    public init(currency: String, regions: [String: Prices] = [:]) {
        self.currency = currency
        self.regions = regions
    }

    /// Hours of a month.
    public static let monthHours = 730.0
    /// Before anybody set prices.
    static let none = PriceTable(currency: "")
    static let setting = "prices"
    private static let entriesMax = 1000

    /// What a GiB-month costs, or nil if nobody said.
    public func price(of kind: UsageRow.Kind, _ type: String, in region: String) -> Double? {
        guard let prices = regions[region] ?? regions["*"] else { return nil }
        switch kind {
        case .snapshot: return prices.snapshot
        case .volume: return prices.volumes?[type] ?? prices.volumes?["*"]
        }
    }

    /// Refuses what makes no sense.
    func check() throws {
        func refuse(_ why: String) -> ServiceError { ServiceError(.invalid, .house, "the price table: \(why)") }
        guard currency.unicodeScalars.count <= 16, currency.unicodeScalars.allSatisfy(\.isPrintable) else {
            throw refuse("the currency \"\(currency.quotable)\" must be at most 16 printable characters")
        }
        let kinds = Set(VolumeKind.all.map(\.name)).union(["*"])
        guard regions.count + regions.values.reduce(0, { $0 + ($1.volumes?.count ?? 0) }) <= Self.entriesMax else {
            throw refuse("it has more than \(Self.entriesMax) entries")
        }
        for (region, prices) in regions {
            guard !region.isEmpty, region.utf8.count <= 64, region.unicodeScalars.allSatisfy(\.isPrintable) else {
                throw refuse("\"\(region.quotable)\" is no name of a region")
            }
            for name in (prices.volumes ?? [:]).keys where !kinds.contains(name) {
                throw refuse("there is no kind of volume named \(name.quotable); there are \(kinds.sorted())")
            }
            for price in [prices.snapshot].compactMap(\.self) + (prices.volumes ?? [:]).values
            where !(price.isFinite && (0...1_000_000).contains(price)) {
                throw refuse("the price \(price) in \(region): 0 to 1000000 are allowed")
            }
        }
    }
}
