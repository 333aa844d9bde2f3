using Sora.Training.SpriteWorld.Scenes;

namespace Sora.Training.SpriteWorld;

/// <summary>The eight scenes of the sprite world.</summary>
public static class SceneCatalogue
{
    /// <summary>All scenes.</summary>
    public static IReadOnlyList<Scene> All { get; } =
    [
        new("meadow", Meadow.Paint, "on the meadow", "on a meadow", "in a meadow", "on the grass of the meadow")
        {
            HasGround = true, HasSky = true,
        },
        new("deep sea", DeepSea.Paint,
            "in the deep sea", "under water in the deep sea", "in the sea", "deep in the sea") { IsWater = true },
        new("desert", Desert.Paint, "in the desert", "in a desert", "in the sandy desert", "on the dunes of the desert")
        {
            HasGround = true, HasSky = true,
        },
        new("beach", Beach.Paint, "on the beach", "on a beach", "on a sunny beach") { HasGround = true, HasSky = true },
        new("snowy mountains", SnowyMountains.Paint,
            "in the snowy mountains", "in the mountains", "in the snow of the mountains")
        {
            HasGround = true, HasSky = true,
        },
        new("city street", CityStreet.Paint, "on a city street", "in the city", "in the street of a city")
        {
            HasGround = true, HasSky = true,
        },
        new("blue sky", BlueSky.Paint, "in the blue sky", "in the sky", "high in the sky") { HasSky = true },
        new("starry space", StarrySpace.Paint,
            "in starry space", "in space", "among the stars in space", "in outer space"),
    ];

    private static readonly Dictionary<string, Scene> s_byName = All.ToDictionary(scene => scene.Name);

    /// <summary>The scene of that name.</summary>
    /// <exception cref="SoraException">There is none of that name; the message lists them.</exception>
    public static Scene Get(string name) => s_byName.TryGetValue(name, out Scene? scene)
        ? scene
        : throw new SoraException($"There is no scene \"{name}\"; there are: {string.Join(", ", All)}.");
}
