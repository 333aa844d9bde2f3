using System.Globalization;

namespace Sora.Frames;

/// <summary>How a picture of one size becomes one of another: scaled first, then cut or filled up.</summary>
/// <param name="Width">Width of the result.</param>
/// <param name="Height">Height of the result.</param>
/// <param name="ScaledWidth">
/// Width after scaling; more than the result's where it is cut, less where it is filled up.
/// </param>
/// <param name="ScaledHeight">Height after scaling.</param>
internal readonly record struct FrameGeometry(int Width, int Height, int ScaledWidth, int ScaledHeight)
{
    /// <summary>
    /// How ffmpeg's scale filter works, for reading and for writing: Lanczos, exact, and the same with every
    /// instruction set. Without full_chroma_inp the last column of an odd width gets wrong colours when it is stored as
    /// 4:2:0, where ffmpeg would average it with a column that is not there.
    /// </summary>
    public const string ScaleFlags = "flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp+bitexact";

    /// <summary>Plans the way to a size.</summary>
    /// <param name="sourceWidth">Width of the upright picture with square pixels.</param>
    /// <param name="sourceHeight">Its height.</param>
    /// <param name="width">Width wanted; null: what the height gives in the source's proportions.</param>
    /// <param name="height">Height wanted; null: what the width gives in the source's proportions.</param>
    /// <param name="fit">What to do about another shape.</param>
    public static FrameGeometry Plan(int sourceWidth, int sourceHeight, int? width, int? height, FrameFit fit)
    {
        int w = width ?? (height is int h0 ? Scaled(sourceWidth, h0, sourceHeight) : sourceWidth);
        int h = height ?? (width is int w0 ? Scaled(sourceHeight, w0, sourceWidth) : sourceHeight);
        if (fit == FrameFit.Stretch || width is null || height is null)
        {
            return new FrameGeometry(w, h, w, h);
        }

        // Whether the source is wider than the result: then the height decides when covering, the width when fitting.
        bool wider = (long)sourceWidth * h > (long)w * sourceHeight;
        bool byHeight = wider == (fit == FrameFit.Crop);
        int scaledWidth = byHeight ? Scaled(sourceWidth, h, sourceHeight) : w;
        int scaledHeight = byHeight ? h : Scaled(sourceHeight, w, sourceWidth);

        // Rounding must not leave a gap, nor stick out.
        return fit == FrameFit.Crop
            ? new FrameGeometry(w, h, Math.Max(w, scaledWidth), Math.Max(h, scaledHeight))
            : new FrameGeometry(w, h, Math.Min(w, scaledWidth), Math.Min(h, scaledHeight));
    }

    /// <summary>The ffmpeg filters that do it, in a packed RGB format, where any column may be the first.</summary>
    /// <param name="pixelFormat">rgb24 or rgba.</param>
    /// <param name="assumeBt709">Whether YUV is BT.709 where the file does not say.</param>
    public string Filter(string pixelFormat, bool assumeBt709)
    {
        string matrix = assumeBt709 ? "in_color_matrix=bt709:" : "";
        string scale = string.Create(
            CultureInfo.InvariantCulture,
            $"scale={ScaledWidth}:{ScaledHeight}:{matrix}{ScaleFlags}");
        string place = ScaledWidth > Width || ScaledHeight > Height
            ? string.Create(
                CultureInfo.InvariantCulture,
                $",crop={Width}:{Height}:{(ScaledWidth - Width) / 2}:{(ScaledHeight - Height) / 2}")
            : ScaledWidth < Width || ScaledHeight < Height
            ? string.Create(
                CultureInfo.InvariantCulture,
                $",pad={Width}:{Height}:{(Width - ScaledWidth) / 2}:{(Height - ScaledHeight) / 2}:black")
            : "";
        return $"{scale},format={pixelFormat}{place}";
    }

    private static int Scaled(int side, int numerator, int denominator) =>
        (int)Math.Clamp(Math.Round(side * (double)numerator / denominator), 1, int.MaxValue);
}
