using System.Numerics;

namespace Sora.Training.SpriteWorld;

/// <summary>
/// What is where in a drawn clip, at the resolution of an autoencoder's latent: which subject a cell shows, which point of its drawing,
/// and how it is turned. A transformer that draws the map together with the latent plans with it: the map is told from far more noise than
/// the looks of a subject's parts.
/// </summary>
internal static class SemanticMap
{
    /// <summary>
    /// The numbers of a cell: six signs that name the subject (an even number of them negative, which makes 32, no two nearer than 70
    /// degrees); the point of the drawing that the cell shows, right of and below its middle; whether the drawing is mirrored; the cosine and
    /// sine of its turn; the share of the cell that it covers. All are 0 where there is no subject.
    /// </summary>
    public const int Channels = CodeLength + 6;

    /// <summary>The number of signs, which come first; the point follows them.</summary>
    public const int CodeLength = 6;

    /// <summary>What a sign is worth: a subject covers a seventh of a picture, and so the deviation of all cells is near 1.</summary>
    public const float Deviation = 2.5f;

    /// <summary>What the length of a drawing's longer side is worth in the numbers of a point.</summary>
    public const float PointScale = Deviation * 3;

    private const float LeastCover = 0.1f;

    /// <summary>The signs of each subject of the catalogue, 1 or −1.</summary>
    public static float[][] Codes { get; } = [.. Enumerable.Range(0, SubjectCatalogue.All.Count).Select(CodeOf)];

    private static readonly Dictionary<string, float[]> s_codes = SubjectCatalogue.All.Zip(Codes).ToDictionary(p => p.First.Name, p => p.Second);

    /// <summary>Draws the map of a clip, or of a window of it.</summary>
    /// <param name="clip">The clip.</param>
    /// <param name="atlas">The sprites.</param>
    /// <param name="frame">The whole frame's width and height in pixels.</param>
    /// <param name="window">The window, in pixels.</param>
    /// <param name="seconds">The times of each of the latent's frames.</param>
    /// <param name="cell">Pixels along a cell's side.</param>
    /// <param name="map">Receives [<see cref="Channels"/>, t, h, w].</param>
    public static void Draw(
        ClipDescription clip, SpriteAtlas atlas, (int Width, int Height) frame, (int Left, int Top, int Width, int Height) window, IReadOnlyList<float[]> seconds, int cell, Span<float> map)
    {
        int w = window.Width / cell, h = window.Height / cell, cells = w * h, all = seconds.Count * cells;
        Shown[] subjects = [.. clip.Subjects.Select(one => Shown.Of(one, atlas))];
        // Of each subject: cover, x, y, cosine, sine.
        var sums = new float[subjects.Length, 5, cells];
        var free = new float[cells];
        var covers = new Vector3[cells];
        map.Clear();
        for (int t = 0; t < seconds.Count; t++)
        {
            Array.Clear(sums);
            foreach (float time in seconds[t])
                Add(time, 1f / seconds[t].Length);
            for (int i = 0; i < cells; i++)
                Write(map[((t * cells) + i)..], i);
        }

        void Add(float time, float share)
        {
            Array.Fill(free, share);
            for (int s = 0; s < subjects.Length; s++)
            {
                (ClipDescription one, Sprite silhouette, float turn, bool mirrored) = subjects[s];
                MotionPath at = MotionPath.At(one, time);
                float side = at.Extent * Math.Min(frame.Width, frame.Height), x = (at.X * frame.Width) - window.Left, y = (at.Y * frame.Height) - window.Top;
                Array.Fill(covers, Vector3.One);
                ClipRenderer.DrawSubject(covers, w, h, silhouette, at, x / cell, y / cell, side / cell);
                (float sin, float cos) = MathF.SinCos((turn + at.Degrees) * MathF.PI / 180);
                for (int i = 0; i < cells; i++)
                {
                    float cover = (1 - covers[i].X) * free[i];
                    if (cover <= 0)
                        continue;
                    free[i] -= cover;
                    float dx = ((((i % w) + 0.5f) * cell) - x) / side, dy = ((((i / w) + 0.5f) * cell) - y) / side;
                    sums[s, 0, i] += cover;
                    sums[s, 1, i] += cover * ((cos * dx) + (sin * dy)) * (mirrored ? -1 : 1);
                    sums[s, 2, i] += cover * ((cos * dy) - (sin * dx));
                    sums[s, 3, i] += cover * cos;
                    sums[s, 4, i] += cover * sin;
                }
            }
        }

        void Write(Span<float> to, int i)
        {
            int owner = 0;
            for (int s = 1; s < subjects.Length; s++)
            {
                if (sums[s, 0, i] > sums[owner, 0, i])
                    owner = s;
            }
            float cover = sums[owner, 0, i];
            if (cover < LeastCover)
                return;
            Shown subject = subjects[owner];
            ReadOnlySpan<float> code = s_codes[subject.Clip.Subject.Name];
            for (int c = 0; c < CodeLength; c++)
                to[c * all] = Deviation * code[c];
            to[CodeLength * all] = PointScale * sums[owner, 1, i] / cover;
            to[(CodeLength + 1) * all] = PointScale * sums[owner, 2, i] / cover;
            to[(CodeLength + 2) * all] = subject.Mirrored ? Deviation : -Deviation;
            to[(CodeLength + 3) * all] = Deviation * sums[owner, 3, i] / cover;
            to[(CodeLength + 4) * all] = Deviation * sums[owner, 4, i] / cover;
            to[(CodeLength + 5) * all] = Deviation * cover;
        }
    }

    /// <summary>Patches [N, P], or latents [B, C, t, h, w], with 0 for the map where frames are known: only the pixels of these are.</summary>
    /// <param name="x">The patches or latents.</param>
    /// <param name="unknown">0 of what is known, 1 of the rest: [N, 1], [B, 1, t, 1, 1] or one number.</param>
    /// <param name="map">How many along axis 1, the last ones, are the map's.</param>
    public static Tensor OfUnknown(Tensor x, Tensor unknown, long map)
    {
        long pixels = x.size(1) - map;
        return map == 0 ? x : cat([x.narrow(1, 0, pixels), x.narrow(1, pixels, map) * unknown], 1);
    }

    /// <summary>The times, in seconds, of the pictures that each frame of a latent holds: the first holds one.</summary>
    /// <param name="frames">The latent's frames.</param>
    /// <param name="stride">Pictures in each but the first.</param>
    /// <param name="fps">Pictures a second.</param>
    /// <param name="start">When the first picture is.</param>
    public static float[][] Times(int frames, int stride, double fps, float start = 0) =>
        [[start], .. Enumerable.Range(0, frames - 1).Select(frame => Enumerable.Range(1, stride).Select(k => start + (float)(((frame * stride) + k) / fps)).ToArray())];

    private static float[] CodeOf(int number)
    {
        int signs = number | ((BitOperations.PopCount((uint)number) & 1) << (CodeLength - 1));
        return [.. Enumerable.Range(0, CodeLength).Select(i => ((signs >> i) & 1) == 0 ? 1f : -1f)];
    }

    // What of a subject is the same at all times of a clip.
    private readonly record struct Shown(ClipDescription Clip, Sprite Silhouette, float Turn, bool Mirrored)
    {
        public static Shown Of(ClipDescription clip, SpriteAtlas atlas)
        {
            Pose pose = ClipRenderer.PoseOf(clip);
            (float turn, bool mirrored) = SpriteAtlas.TurnOf(clip.Subject.Facing, pose);
            return new(clip, atlas.Get(clip.Subject, clip.Colour, pose).Silhouette(), turn, mirrored);
        }
    }
}
