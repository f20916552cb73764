"""What people of the sample say: short French texts, so that the demo reads like minutes."""

from __future__ import annotations

SECTORS = ("market-gardening", "rice", "shallots", "livestock", "fish")

NEEDS = {
    "investment": (
        "Une motopompe pour le périmètre maraîcher de la rive droite",
        "Clôturer le périmètre des femmes, 2 hectares",
        "Un magasin de conservation des échalotes",
        "Réhabiliter trois puits maraîchers",
        "Un parc de vaccination près du marché à bétail",
        "Aménager la piste entre le périmètre et le goudron",
        "Une décortiqueuse à riz",
        "Recreuser l'étang communautaire",
    ),
    "business-environment": (
        "Réduire les taxes du marché hebdomadaire",
        "Sécuriser les parcelles par des contrats de bail",
        "Une place fixe au marché pour les coopératives",
        "Que la mairie réponde aux demandes de terrain dans le mois",
        "Faire respecter les couloirs de passage des animaux",
    ),
    "capacity-building": (
        "Former les bureaux des coopératives à la tenue des comptes",
        "Former les femmes à la conservation de l'échalote",
        "Un appui pour obtenir le récépissé de la coopérative",
        "Former des auxiliaires d'élevage",
        "Apprendre à fabriquer l'aliment poisson",
    ),
}
ACTIONS = (
    "Acheter et installer la motopompe",
    "Poser 600 mètres de grillage",
    "Construire le magasin d'échalotes",
    "Curer les puits et poser des margelles",
    "Tenir une session de formation de trois jours",
    "Reprofiler la piste avant les pluies",
    "Signer les contrats de bail avec la mairie",
    "Organiser la campagne de vaccination",
    "Ouvrir un compte à la caisse et déposer l'apport",
    "Délimiter le couloir de passage",
)
OBSTACLES = (
    "Le fournisseur n'a pas livré la pompe",
    "La piste est coupée par l'eau",
    "L'apport des membres n'est pas réuni",
    "Le terrain est réclamé par une famille",
    "Le technicien n'est pas venu deux fois",
    "Le prix du grillage a doublé",
    "La caisse n'a pas encore ouvert le compte",
)
SOLUTIONS = (
    "Le maire appelle le fournisseur et fixe un dernier délai",
    "Passer par l'ancien chemin jusqu'à la décrue",
    "Chaque membre apporte 2 500 F avant le marché de vendredi",
    "Médiation du chef de village, acte signé à la mairie",
    "Demander un autre technicien au service local",
    "Acheter moins de grillage et compléter par une haie vive",
)
MINUTES = (
    "Présents et absents appelés. Chaque OP a présenté ses besoins. Les actions ont été convenues une à une.",
    "Le bilan du plan a été lu. Les engagements non tenus ont été rappelés. Le nouveau plan est convenu.",
    "Débat long sur l'apport des membres. Accord trouvé après médiation du maire.",
)
OBJECTIONS = (
    "L'apport demandé aux femmes est trop élevé",
    "L'éloignement du site n'est pas pris en compte",
    "Les éleveurs demandent que le couloir passe avant la clôture",
)
TASKS = (
    "Visiter chaque action tous les quinze jours",
    "Tenir le cahier des apports",
    "Remonter les difficultés au maire dans la semaine",
    "Rendre compte à la rencontre suivante",
)
BUSINESS = (
    "Adoption du budget primitif de la commune",
    "Fixation des taxes du marché hebdomadaire",
    "Compte administratif de l'exercice écoulé",
    "Attribution de parcelles à usage d'habitation",
    "Réfection de l'école du premier cycle",
)
FOUNDING = "Mise en place du cadre de concertation entre la commune et les acteurs des filières porteuses"
DISSOLVING = "Dissolution du cadre de concertation"
