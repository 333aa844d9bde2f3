using Sora.Frames;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Sora.Cli;

/// <summary>The last previews, above the progress bars of a terminal.</summary>
internal sealed class PreviewPicture : Renderable
{
    private volatile IReadOnlyList<VideoFrame> _previews = [];

    /// <summary>The pictures to show, side by side; none leaves the bars alone.</summary>
    public IReadOnlyList<VideoFrame> Previews { get => _previews; set => _previews = value; }

    /// <inheritdoc/>
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        IReadOnlyList<VideoFrame> previews = _previews;
        if (previews.Count == 0)
            yield break;
        foreach (IReadOnlyList<HalfBlocks.Cell> row in HalfBlocks.Rows(previews, maxWidth))
        {
            foreach (HalfBlocks.Cell cell in row)
                yield return new Segment(cell.Upper is null ? " " : HalfBlocks.Character, new Style(Of(cell.Upper), Of(cell.Lower)));
            yield return Segment.LineBreak;
        }
    }

    private static Color? Of((byte R, byte G, byte B)? colour) => colour is { } c ? new Color(c.R, c.G, c.B) : null;
}
