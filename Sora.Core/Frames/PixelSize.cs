namespace Sora.Frames;

/// <summary>The size of a picture in pixels.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct PixelSize(int Height, int Width);
