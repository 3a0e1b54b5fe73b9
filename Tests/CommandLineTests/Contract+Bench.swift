extension Contract {
  /// What `bench` prints.
  static let benches: [Shape] = [
    Shape(
      "object of bench supernet",
      [
        "text": ["preset", "isa"],
        "count": ["batch", "threads", "steps"],
        "amount": [
          "median_ms", "min_ms", "weights_ms", "theta_ms", "images_per_s", "peak_rss_mib",
          "floating_point_operations", "flops", "gflops_per_s",
        ],
      ],
      sometimes: ["theta_ms"]
    ),
    Shape(
      "object of bench scaling",
      [
        "text": ["preset", "isa"],
        "count": ["batch", "threads", "floats"],
        "amount": ["step_ms", "latency_us"],
        "list of link": ["links"],
      ]
    ),
    Shape(
      "link",
      [
        "amount": ["gbit_per_s"],
        "count": ["efficient_hosts"],
        "list of number of hosts": ["hosts"],
      ]
    ),
    Shape(
      "number of hosts",
      [
        "count": ["hosts"],
        "amount": ["step_ms", "exchange_ms"],
        "share": ["efficiency"],
      ]
    ),
    Shape(
      "object of bench profile",
      [
        "text": ["preset", "isa"],
        "count": ["batch", "threads", "steps"],
        "amount": ["step_ms"],
        "list of profiled operation": ["operations"],
      ]
    ),
    Shape(
      "profiled operation",
      [
        "text": ["operation", "direction"],
        "amount": ["calls", "ms"],
        "share": ["share"],
      ]
    ),
    Shape(
      "object of bench roofline",
      [
        "text": ["preset", "isa"],
        "count": ["batch", "threads"],
        "list of peak of arithmetic": ["arithmetic"],
        "list of bandwidth": ["memory"],
        "list of bounded operation": ["operations"],
        "amount": ["other_ms", "step_ms", "floor_ms", "ratio"],
      ]
    ),
    Shape(
      "peak of arithmetic",
      [
        "text": ["isa"],
        "count": ["threads"],
        "amount": ["gflops_per_s", "tile_gflops_per_s"],
      ]
    ),
    Shape(
      "bandwidth",
      [
        "count": ["threads"],
        "amount": ["read_gb_per_s", "copy_gb_per_s"],
      ]
    ),
    Shape(
      "bounded operation",
      [
        "text": ["operation", "direction"],
        "amount": ["ms", "floor_ms", "ratio", "gflops_per_s", "gb_per_s"],
        "`memory` or `arithmetic`": ["bound"],
      ]
    ),
    Shape(
      "object of bench gemm",
      [
        "count": ["threads"],
        "text": ["isa"],
        "amount": ["peak_gflops_per_s"],
        "list of measured product": ["shapes"],
      ]
    ),
    Shape(
      "measured product",
      [
        "count": ["m", "k", "n"],
        "amount": [
          "ms", "gflops_per_s", "share_of_peak", "fused_ms", "fused_gflops_per_s",
          "fused_share_of_peak", "backward_ms", "backward_gflops_per_s", "backward_share_of_peak",
        ],
      ],
      sometimes: ["backward_ms", "backward_gflops_per_s", "backward_share_of_peak"]
    ),
    Shape(
      "object of bench depthwise",
      [
        "text": ["preset", "isa"],
        "count": ["batch", "threads"],
        "amount": ["peak_gflops_per_s", "bandwidth_gb_per_s"],
        "list of measured convolution": ["shapes"],
      ]
    ),
    Shape(
      "measured convolution",
      [
        "count": ["height", "width", "channels", "kernel", "stride"],
        "`forward` or `backward`": ["direction"],
        "amount": ["ms", "gflops_per_s", "gb_per_s", "share_of_floor"],
      ]
    ),
    Shape(
      "object of bench choices",
      [
        "text": ["isa"],
        "count": ["batch", "threads", "steps"],
        "list of measured choice": ["rows"],
      ]
    ),
    Shape(
      "measured choice",
      [
        "`channels` or `resolution`": ["kind"],
        "`masking` or `branches`": ["method"],
        "count": ["count"],
        "amount": ["median_ms", "theta_median_ms", "peak_mib"],
      ],
      sometimes: ["theta_median_ms"]
    ),
    Shape(
      "object of bench inference",
      [
        "text": ["network", "isa"],
        "count": ["size", "batch", "threads", "calls"],
        "amount": [
          "median_ms", "min_ms", "images_per_s", "floating_point_operations", "flops", "params",
          "gflops_per_s", "peak_rss_mib",
        ],
      ]
    ),
  ]
}
