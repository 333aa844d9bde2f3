using System.Numerics;

namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>
/// Recognises the scene by the colours of eight horizontal bands beside the subject, compared with those of many
/// drawings of each scene.
/// </summary>
internal sealed class SceneRecognition
{
    private const int Bands = 8;
    private const int Side = 24;
    private const int Drawings = 32;
    private const float Tolerance = 0.05f; // added to each band's own spread: generated pictures are not exact

    private readonly List<(Scene Scene, TimeOfDay Time, float[] Mean, float[] Spread)> _references;

    public SceneRecognition(SpriteWorldConfig config)
    {
        _references = [..
            from scene in config.Scenes
            from time in scene.HasSky ? config.TimesOfDay : [TimeOfDay.Day]
            select Reference(scene, time)];
    }

    /// <summary>The scene that the background looks most like.</summary>
    /// <param name="background">[height · width].</param>
    /// <param name="width">In pixels.</param>
    public (Scene Scene, TimeOfDay Time) Recognise(Vector3[] background, int width)
    {
        float[] bands = BandColours(background, width);
        (Scene scene, TimeOfDay time, _, _) =
            _references.MinBy(reference => Distance(bands, reference.Mean, reference.Spread));
        return (scene, time);
    }

    private static (Scene, TimeOfDay, float[], float[]) Reference(Scene scene, TimeOfDay time)
    {
        float[][] drawings = [.. Enumerable.Range(0, Drawings).Select(i => BandColours(
            ClipRenderer.PaintScene(scene, (ulong)i, time, Side, Side, left: 0f), Side))];
        float[] mean = [.. Enumerable.Range(0, Bands * 3).Select(i => drawings.Average(bands => bands[i]))];
        float[] spread = [.. Enumerable.Range(0, Bands * 3)
            .Select(i => MathF.Sqrt(drawings.Average(bands => (bands[i] - mean[i]) * (bands[i] - mean[i]))))];
        return (scene, time, mean, spread);
    }

    private static float Distance(float[] bands, float[] mean, float[] spread)
    {
        float distance = 0f;
        for (int i = 0; i < bands.Length; i++)
        {
            float deviation = (bands[i] - mean[i]) / (spread[i] + Tolerance);
            distance += MathF.Min(deviation * deviation, 16f); // one odd band must not decide
        }

        return distance;
    }

    /// <summary>The median colour of each band.</summary>
    private static float[] BandColours(Vector3[] picture, int width)
    {
        int height = picture.Length / width;
        var colours = new float[Bands * 3];
        for (int band = 0; band < Bands; band++)
        {
            int from = band * height / Bands, to = (band + 1) * height / Bands;
            ReadOnlySpan<Vector3> pixels = picture.AsSpan((from * width)..(to * width));
            for (int channel = 0; channel < 3; channel++)
            {
                var values = new float[pixels.Length];
                for (int i = 0; i < pixels.Length; i++)
                    values[i] = pixels[i][channel];
                Array.Sort(values);
                colours[(band * 3) + channel] = values[values.Length / 2];
            }
        }

        return colours;
    }
}
