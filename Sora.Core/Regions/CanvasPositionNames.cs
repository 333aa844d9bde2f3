namespace Sora.Regions;

/// <summary>The names of positions on a canvas, as a command line writes them.</summary>
public static class CanvasPositionNames
{
    private static readonly NamedValues<CanvasPosition> Values = new("Position",
        ("center", CanvasPosition.Center),
        ("left", CanvasPosition.Left),
        ("right", CanvasPosition.Right),
        ("top", CanvasPosition.Top),
        ("bottom", CanvasPosition.Bottom),
        ("top-left", CanvasPosition.TopLeft),
        ("top-right", CanvasPosition.TopRight),
        ("bottom-left", CanvasPosition.BottomLeft),
        ("bottom-right", CanvasPosition.BottomRight));

    /// <summary>Every known name: <c>center</c>, <c>left</c>, <c>right</c>, <c>top</c>, <c>bottom</c>, <c>top-left</c> and so on.</summary>
    public static IReadOnlyList<string> All => Values.Names;

    /// <summary>The position of this name, in any letter case.</summary>
    /// <exception cref="SoraException">The name is unknown; the message lists the known ones.</exception>
    public static CanvasPosition Parse(string name) => Values.Parse(name);

    /// <summary>The name that <see cref="Parse"/> reads back.</summary>
    public static string NameOf(CanvasPosition position) => Values.NameOf(position);
}
