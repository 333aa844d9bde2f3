namespace Sora.Training.SpriteWorld.Analysis;

/// <summary>Tells whether a subject spins: whether it is seen turned by ever other angles.</summary>
internal sealed class Rotations(World world, int shortSide)
{
    private const int Steps = 8;
    private const float LargestWander = 0.28f; // upright templates find a spinning subject a bit beside its place

    /// <param name="search">At the resolution of <c>shortSide</c>.</param>
    /// <param name="look">The subject, found before.</param>
    /// <param name="track">Where it is, one sighting a frame.</param>
    public bool Turns(
        TemplateSearch search, (Subject Subject, SubjectColour Colour) look, IReadOnlyList<Sighting> track)
    {
        float wander = MathF.Max(
            Range(track.Select(sighting => sighting.X)), Range(track.Select(sighting => sighting.Y)));
        if (wander > LargestWander)
            return false;

        // The size is taken where the subject is seen best, which is upright.
        Sighting centre = track.MaxBy(sighting => sighting.Gain);
        List<(int Step, Template Template)> templates = [..
            from pose in SpriteAtlas.PosesOf(look.Subject)
            where look.Subject.Facing != Facing.UpRight || pose == Pose.Upright
            from step in Enumerable.Range(0, Steps)
            let sprite = world.Atlas.Get(look.Subject, look.Colour, pose)
            let shown = step == 0 ? sprite : sprite.Turned(step * 360f / Steps)
            let scale = (float)Math.Max(shown.Width, shown.Height) / Math.Max(sprite.Width, sprite.Height)
            select (step, Template.Of(look.Subject, look.Colour, shown, centre.Extent * scale, shortSide))];
        int turned = 0;
        for (int t = 0; t < track.Count; t++)
        {
            float upright = float.NegativeInfinity, other = float.NegativeInfinity;
            foreach ((int step, Template template) in templates)
            {
                float gain = search.Near(template, t, centre, reach: 3).Gain;
                if (step is 0 or 1 or Steps - 1)
                    upright = MathF.Max(upright, gain);
                else
                    other = MathF.Max(other, gain);
            }

            if (other > MathF.Max(1.1f * upright, 0f))
                turned++;
        }

        return turned >= 0.3f * track.Count;
    }

    private static float Range(IEnumerable<float> values)
    {
        float[] sorted = [.. values.Order()];
        return sorted[^1] - sorted[0];
    }
}
