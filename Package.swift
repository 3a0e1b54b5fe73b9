// swift-tools-version: 6.3
import PackageDescription

/// Settings of every Swift target.
let base: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Of targets that compute or draw much: tests of a debug build, which is what `make test` makes,
/// would spend most of their time on arrays and generics that nothing has optimised.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// Of targets without arithmetic: a release build spends a fifth less on them.
let compact: [SwiftSetting] =
  base + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

/// The kernels of each instruction set.
///
/// Nothing imports them, and every binary needs them: so they are compiled beside what calls them.
let instances: [Target.Dependency] = ["KernelsBaseline", "KernelsAVX2", "KernelsAVX512"]

/// Kernels are optimised in every configuration, so that debug tests run at full speed.
func kernel(_ flags: [String] = []) -> [SwiftSetting] {
  base + [.unsafeFlags(["-Ounchecked"] + flags.flatMap { ["-Xcc", $0] })]
}

#if arch(x86_64)
  let avx2 = ["-mavx2", "-mfma"]
  let avx512 = [
    "-mavx2", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq",
    "-mprefer-vector-width=512",
  ]
#else
  let avx2: [String] = []
  let avx512: [String] = []
#endif

let package = Package(
  name: "supertop",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.0.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    // Its traits are for streams and field masks, which neither ONNX nor TensorBoard has use for.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.30.0", traits: []),
  ],
  targets: [
    .systemLibrary(
      name: "CLibJPEG",
      pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]
    ),
    .systemLibrary(
      name: "CPNG",
      pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]
    ),
    .systemLibrary(
      name: "CZlib",
      pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
    ),
    // Not through pkg-config: its -D flags make SwiftPM warn, and both libraries bring libtinfo
    // along.
    .target(
      name: "CNcurses",
      linkerSettings: [
        .linkedLibrary("ncursesw", .when(platforms: [.linux])),
        .linkedLibrary("ncurses", .when(platforms: [.macOS])),
      ]
    ),
    // Headers alone, without an object: the kernels are the first link of the longest chain of
    // targets, and need not wait for anything.
    .systemLibrary(name: "CLanes"),
    .target(name: "CSystem"),
    .target(name: "CMPI", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    .target(name: "CJPEG", dependencies: ["CLibJPEG"]),

    .target(name: "Kernels", dependencies: ["CLanes"], swiftSettings: kernel()),
    .target(name: "KernelsBaseline", dependencies: ["Kernels"], swiftSettings: kernel()),
    .target(name: "KernelsAVX2", dependencies: ["Kernels"], swiftSettings: kernel(avx2)),
    .target(name: "KernelsAVX512", dependencies: ["Kernels"], swiftSettings: kernel(avx512)),
    .target(
      name: "Tensor",
      dependencies: ["Kernels", "CSystem"],
      exclude: ["Operations/InvertedResiduals/README.md"],
      swiftSettings: base + optimised
    ),
    .target(
      name: "Networks",
      dependencies: ["Tensor"],
      resources: [.embedInCode("Resources/zoo.json")],
      swiftSettings: base + optimised
    ),
    .target(
      name: "Data",
      dependencies: ["Tensor", "Runs", "CJPEG", "CPNG", "CZlib"],
      resources: [.embedInCode("Resources/digits.csv.gz")],
      swiftSettings: base + optimised
    ),
    .target(
      name: "Runs",
      dependencies: [.product(name: "GRDB", package: "GRDB.swift"), "Yams"],
      swiftSettings: base
    ),
    .target(
      name: "Ranks",
      dependencies: ["CMPI", "Runs"],
      swiftSettings: base + optimised
    ),
    .target(
      name: "Training",
      dependencies: ["Networks", "Data", "Ranks", "Runs", "Tensor"],
      swiftSettings: base + optimised
    ),
    .target(
      name: "Search",
      dependencies: ["Training", "Networks", "Data", "Ranks", "Runs", "Tensor"],
      resources: [.embedInCode("Resources/sobol.txt")],
      swiftSettings: base + optimised
    ),
    .target(
      name: "Export",
      dependencies: [
        "Networks", "Runs", "Tensor",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["onnx.proto", "Figures/tensorboard.proto"],
      swiftSettings: compact
    ),
    .target(
      name: "Import",
      dependencies: ["Data", "Networks", "Runs", "Tensor"],
      swiftSettings: base + optimised
    ),
    .target(
      name: "Dashboard",
      dependencies: ["Runs", "CNcurses"],
      resources: [.embedInCode("Theme/Themes")],
      swiftSettings: compact + optimised
    ),
    .executableTarget(
      name: "supertop",
      dependencies: [
        "Dashboard", "Search", "Training", "Export", "Import", "Data", "Networks", "Ranks", "Runs",
        "Tensor", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ] + instances,
      swiftSettings: compact
    ),

    .target(
      name: "TestSupport",
      dependencies: ["Training", "Data", "Networks", "Runs", "Tensor"] + instances,
      path: "Tests/TestSupport",
      swiftSettings: base
    ),
    .testTarget(
      name: "TensorTests",
      dependencies: ["Tensor", "TestSupport"],
      exclude: ["Fixtures"],
      swiftSettings: base
    ),
    .testTarget(
      name: "NetworksTests",
      dependencies: ["Networks", "Tensor", "TestSupport"],
      exclude: ["Fixtures"],
      swiftSettings: base
    ),
    .testTarget(
      name: "DataTests",
      dependencies: ["Data", "Runs", "TestSupport", "CLibJPEG", "CPNG", "CZlib"],
      swiftSettings: base
    ),
    .testTarget(
      name: "RunsTests",
      dependencies: ["Runs", "TestSupport"],
      swiftSettings: base
    ),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Training", "Ranks", "Data", "Networks", "Runs", "Tensor", "TestSupport"],
      swiftSettings: base
    ),
    .testTarget(
      name: "SearchTests",
      dependencies: [
        "Search", "Training", "Data", "Networks", "Runs", "Tensor", "TestSupport",
      ],
      swiftSettings: base
    ),
    .testTarget(
      name: "ExportTests",
      dependencies: [
        "Data", "Export", "Networks", "Runs", "Search", "Tensor", "TestSupport", "Training",
      ],
      exclude: ["read_figures.py", "run_onnx.py"],
      swiftSettings: base
    ),
    .testTarget(
      name: "ImportTests",
      dependencies: ["Data", "Import", "Networks", "Runs", "Tensor", "TestSupport"],
      exclude: ["Fixtures"],
      swiftSettings: base
    ),
    .testTarget(
      name: "DashboardTests",
      dependencies: ["Dashboard", "Runs", "TestSupport"],
      exclude: ["Frames"],
      swiftSettings: base
    ),
    .testTarget(
      name: "CommandLineTests",
      dependencies: ["Runs", "TestSupport", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: base
    ),
  ]
)
