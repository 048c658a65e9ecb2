#include "profile/flame_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>

namespace backplane::profile {
namespace {

constexpr double width = 1200, row = 17, top = 40, bottom = 26, narrowest = 0.2;

struct Node {
    std::uint64_t weight = 0;
    std::map<std::size_t, std::unique_ptr<Node>> callees;  // by function
};

Node tree_of(const FoldedStacks& folded) {
    Node root;
    for (const auto& [functions, count] : folded) {
        Node* node = &root;
        node->weight += count;
        for (const std::size_t function : functions) {
            auto& callee = node->callees[function];
            if (!callee) callee = std::make_unique<Node>();
            node = callee.get();
            node->weight += count;
        }
    }
    return root;
}

std::string escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '&')
            result += "&amp;";
        else if (c == '<')
            result += "&lt;";
        else if (c == '>')
            result += "&gt;";
        else if (c == '"')
            result += "&quot;";
        else if (static_cast<unsigned char>(c) < ' ')
            result += ' ';
        else
            result += c;
    }
    return result;
}

// A hue for each kind, a shade for each name, the same in every picture.
std::string color_of(const Function& function) {
    unsigned hash = 2166136261u;
    for (const char c : function.name)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    const unsigned shade = hash % 40;
    switch (function.kind) {
    case FrameKind::Kernel:
        return fmt::format("hsl({} 80% {}%)", 20 + hash / 64 % 22, 58 + shade / 2);
    case FrameKind::User:
        return fmt::format("hsl({} 62% {}%)", 200 + hash / 64 % 20, 62 + shade / 2);
    case FrameKind::Emulator: return fmt::format("hsl(285 45% {}%)", 66 + shade / 3);
    case FrameKind::Idle: break;
    }
    return "#ddd";
}

class Picture {
public:
    Picture(const std::vector<Function>& functions, const Node& root)
        : functions_{functions}, root_{root} {}

    std::string frames() {
        add("all", "#e8e8e8", root_, 0, 0);
        add_callees(root_, 0, 1);
        return std::move(text_);
    }
    unsigned depth() const { return depth_; }

private:
    double x_of(std::uint64_t weight) const {
        return root_.weight == 0
                   ? 0
                   : width * static_cast<double>(weight) / static_cast<double>(root_.weight);
    }

    void add_callees(const Node& node, std::uint64_t start, unsigned level) {
        for (const auto& [function, callee] : node.callees) {
            if (x_of(callee->weight) >= narrowest) {
                add(functions_[function].name, color_of(functions_[function]), *callee, start,
                    level);
                add_callees(*callee, start, level + 1);
            }
            start += callee->weight;
        }
    }

    void add(const std::string& name, const std::string& color, const Node& node,
             std::uint64_t start, unsigned level) {
        depth_ = std::max(depth_, level + 1);
        const double x = x_of(start), w = x_of(node.weight);
        const double share = root_.weight == 0 ? 0
                                               : 100 * static_cast<double>(node.weight) /
                                                     static_cast<double>(root_.weight);
        // The script places them from below; without one this is where they are.
        fmt::format_to(std::back_inserter(text_),
                       "<g class=\"f\" data-l=\"{}\" data-x=\"{:.3f}\" data-w=\"{:.3f}\"><title>{} "
                       "({} samples, {:.2f} %)</title><rect x=\"{:.2f}\" width=\"{:.2f}\" "
                       "height=\"{}\" rx=\"1.5\" fill=\"{}\"/><text x=\"{:.2f}\" y=\"12\">{}</text>"
                       "</g>\n",
                       level, x, w, escaped(name), node.weight, share, x, std::max(w - 0.4, 0.2),
                       row - 1, color, x + 3, escaped(label(name, w)));
    }

    static std::string label(const std::string& name, double w) {
        constexpr double character = 6.7;
        const auto room = static_cast<std::size_t>(std::max(0.0, (w - 6) / character));
        if (name.size() <= room) return name;
        return room < 3 ? "" : name.substr(0, room - 2) + "..";
    }

    const std::vector<Function>& functions_;
    const Node& root_;
    std::string text_;
    unsigned depth_ = 0;
};

constexpr const char* style = R"(<style>
svg { background: #fff; font: 12px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.f { cursor: pointer; } .f:hover rect { stroke: #222; } .f text { fill: #111; pointer-events: none; }
.f.hit rect { fill: #d6336c; } .f.hit text { fill: #fff; } .f.faint { opacity: .45; }
.title { font-size: 16px; } .hint { fill: #666; } .button { cursor: pointer; fill: #1864ab; }
</style>
)";

// Click: the frame and what it called fill the width. Ctrl-F or "Search": names that match.
constexpr const char* script = R"JS(<script><![CDATA[
(function () {
  var svg = document.currentScript ? document.currentScript.closest('svg') : document.documentElement;
  var W = 1200, frames = Array.prototype.slice.call(svg.querySelectorAll('.f'));
  var info = svg.querySelector('.hint'), plain = info.textContent;
  function num(g, k) { return parseFloat(g.getAttribute('data-' + k)); }
  function name(g) { return g.querySelector('title').textContent; }
  function show(g, x, w) {
    var rect = g.querySelector('rect'), text = g.querySelector('text');
    g.style.display = w < 0.2 ? 'none' : '';
    rect.setAttribute('x', x); rect.setAttribute('width', Math.max(w - 0.4, 0.2));
    text.setAttribute('x', x + 3);
    var full = name(g).replace(/ \(\d+ samples, [\d.]+ %\)$/, ''), room = Math.floor((w - 6) / 6.7);
    text.textContent = full.length <= room ? full : room < 3 ? '' : full.slice(0, room - 2) + '..';
  }
  function zoom(to) {
    var x0 = num(to, 'x'), w0 = num(to, 'w'), l0 = num(to, 'l'), e = 0.002;
    frames.forEach(function (g) {
      var x = num(g, 'x'), w = num(g, 'w'), outer = num(g, 'l') < l0;
      var covers = outer && x <= x0 + e && x + w >= x0 + w0 - e;
      var inside = !outer && x >= x0 - e && x + w <= x0 + w0 + e;
      g.classList.toggle('faint', covers);
      if (covers) show(g, 0, W);
      else if (inside) show(g, (x - x0) / w0 * W, w / w0 * W);
      else g.style.display = 'none';
    });
  }
  function search() {
    var term = window.prompt('Frames whose name matches this regular expression:', '');
    if (term === null) return;
    var expression;
    try { expression = new RegExp(term); } catch (error) { window.alert(error.message); return; }
    var spans = [];
    frames.forEach(function (g) {
      var hit = term !== '' && expression.test(name(g));
      g.classList.toggle('hit', hit);
      if (hit) spans.push([num(g, 'x'), num(g, 'x') + num(g, 'w')]);
    });
    spans.sort(function (a, b) { return a[0] - b[0]; });
    var covered = 0, end = 0;
    spans.forEach(function (s) { covered += Math.max(0, s[1] - Math.max(s[0], end)); end = Math.max(end, s[1]); });
    info.textContent = plain = term === '' ? '' : 'matched: ' + (100 * covered / W).toFixed(2) + ' %';
  }
  frames.forEach(function (g) {
    g.addEventListener('click', function () { zoom(g); });
    g.addEventListener('mouseover', function () { info.textContent = name(g); });
    g.addEventListener('mouseout', function () { info.textContent = plain; });
  });
  svg.querySelector('.reset').addEventListener('click', function () { zoom(frames[0]); });
  svg.querySelector('.search').addEventListener('click', search);
  window.addEventListener('keydown', function (event) {
    if (event.key === 'f' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); search(); }
  });
})();
]]></script>
)JS";

}  // namespace

std::string flame_graph_svg(const ProfileStacks& stacks, const FoldedStacks& folded,
                            const std::string& title) {
    const Node root = tree_of(folded);
    Picture picture{stacks.functions(), root};
    std::string frames = picture.frames();
    const double height = top + picture.depth() * row + bottom;
    // The outermost frames are at the bottom.
    std::string placed;
    std::string_view rest = frames;
    constexpr std::string_view mark = "<g class=\"f\" data-l=\"";
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n') + 1);
        rest.remove_prefix(line.size());
        const std::string_view level = line.substr(mark.size(),
                                                   line.find('"', mark.size()) - mark.size());
        const double y = top + (picture.depth() - 1 - std::stod(std::string{level})) * row;
        placed += fmt::format("<g transform=\"translate(0 {:.1f})\" {}", y, line.substr(3));
    }
    return fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\">\n{2}<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        "<text class=\"title\" x=\"{3}\" y=\"22\" text-anchor=\"middle\">{4}</text>\n"
        "<text class=\"button reset\" x=\"10\" y=\"22\">Reset zoom</text>\n"
        "<text class=\"button search\" x=\"{5}\" y=\"22\" text-anchor=\"end\">Search</text>\n"
        "{6}<text class=\"hint\" x=\"10\" y=\"{7}\"></text>\n{8}</svg>\n",
        width, height, style, width / 2, escaped(title), width - 10, placed, height - 9, script);
}

std::string flame_graph_html(const ProfileStacks& stacks, const FoldedStacks& folded,
                             const std::string& title) {
    std::string svg = flame_graph_svg(stacks, folded, title);
    // A page has no CDATA sections outside of SVG's own; its parser wants the script as it is.
    for (const std::string_view part : {"<![CDATA[", "]]>"})
        if (const auto at = svg.find(part); at != std::string::npos) svg.erase(at, part.size());
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{}"
        "</title>\n<style>body {{ margin: 12px; }} svg {{ width: 100%; height: auto; "
        "}}</style></head>\n<body>\n{}</body>\n</html>\n",
        escaped(title), svg);
}

}  // namespace backplane::profile
